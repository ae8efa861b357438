import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { InferResponseType } from 'hono/client';
import { api, load } from '../../api';
import { Badge } from '../../components/badge';
import { CopyText } from '../../components/copy';
import { Loaded } from '../../components/states';
import { Time } from '../../components/time';
import { useLive } from '../../live';

type Alarm = InferResponseType<typeof api.metrics.alarms.$get>[number];

const states = {
  ALARM: ['bad', 'raised'],
  OK: ['good', 'ok'],
  INSUFFICIENT_DATA: ['neutral', 'no data'],
} as const satisfies Record<Alarm['state'], unknown>;

interface AlarmListProps {
  /** The alarm that is open. */
  readonly open: string | undefined;
  readonly onOpen: (name: string) => void;
}

/** The alarms of the stage, raised ones first. */
export const AlarmList = ({ open, onOpen }: AlarmListProps) => {
  const { alarms } = api.metrics;
  const query = useLive({ url: alarms.$url(), read: () => load(alarms.$get()) });
  return (
    <Loaded query={query}>
      {(all) => (
        <ul className="alarms">
          {all.map((alarm) => (
            <li key={alarm.name}>
              <AlarmRow alarm={alarm} isOpen={alarm.name === open} onOpen={() => onOpen(alarm.name)} />
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  );
};

interface AlarmRowProps {
  readonly alarm: Alarm;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
}

const AlarmRow = ({ alarm, isOpen, onOpen }: AlarmRowProps) => {
  const { name, state, since, impact, silent } = alarm;
  const [tone, word] = states[state];
  return (
    <>
      <div className="alarm">
        <Badge tone={tone}>{word}</Badge>
        <div>
          <strong>{name}</strong> {silent && <Badge tone="warning">silent</Badge>}
          <p className="quiet-text">{impact}</p>
        </div>
        <span className="quiet-text">{since !== null && <Time at={since} />}</span>
        <button
          type="button"
          className="quiet"
          aria-expanded={isOpen}
          onClick={onOpen}
          aria-label={`History of ${name}`}
        >
          History
        </button>
      </div>
      {isOpen && <AlarmDetail alarm={alarm} />}
    </>
  );
};

const AlarmDetail = ({ alarm: { name, since, runbook, reason } }: { readonly alarm: Alarm }) => {
  const query = useQuery({
    // A change of the state loads the history again while it is open.
    queryKey: ['alarm', name, since],
    queryFn: () => load(api.metrics.alarms[':name'].$get({ param: { name } })),
    placeholderData: keepPreviousData,
  });
  return (
    <div className="alarm-detail">
      {reason !== '' && <p>{reason}</p>}
      <p>
        Runbook: <code>{runbook}</code>
      </p>
      <p>
        Drill: <CopyText text={`npm run drill -- ${name}`} label="Copy the command" />
      </p>
      <Loaded query={query}>
        {(changes) =>
          changes.length === 0 ? (
            <p className="quiet-text">Its state has not changed in the last 30 days.</p>
          ) : (
            <ol className="list">
              {changes.map(({ at, summary }) => (
                <li key={`${at} ${summary}`}>
                  <Time at={at} /> {summary}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </div>
  );
};
