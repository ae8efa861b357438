import { useState } from 'react';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Command } from '../../components/command';
import { Page, Section } from '../../components/page';
import { Loaded } from '../../components/states';
import { useLive } from '../../live';
import { useSession } from '../../session';
import { QueueTable } from '../now/queues';
import { knownPart } from '../now/status';
import { DeadLetterPanel } from './dead-letters';
import { Rehearsals } from './rehearsals';

const parts = ['download', 'processing', 'sync'] as const;

/** The queues of the workers, what is paused, and the dead letters. */
export const QueuesScreen = () => {
  const status = useLive({ url: api.status.$url(), read: () => load(api.status.$get()) });
  const deadLetters = useLive({ url: api.queues.$url(), read: () => load(api.queues.$get()) });
  const { local } = useSession();
  const [until, setUntil] = useState('4h');
  return (
    <Page
      title="Queues"
      summary="What waits for the workers, what is paused, and what has failed five times."
      actions={<Command args="dlq list" />}
    >
      <Loaded query={status}>
        {(document) => {
          const paused = new Set(
            (knownPart(document.paused.pauses) ?? []).flatMap(({ part, in_force }) => (in_force ? [part] : [])),
          );
          return (
            <>
              <QueueTable status={document} />
              <Section title="Pause and resume">
                <label className="pause-until">
                  A pause ends by itself after{' '}
                  <select value={until} onChange={({ target }) => setUntil(target.value)}>
                    {['30m', '1h', '4h', '1d', '3d'].map((period) => (
                      <option key={period}>{period}</option>
                    ))}
                  </select>
                </label>
                <ul className="list">
                  {parts.map((part) => (
                    <li key={part} className="pause-row">
                      <strong>{part}</strong>
                      {paused.has(part) ? (
                        <Action
                          key="resume"
                          label="Resume"
                          tone="primary"
                          run={(change) => load(api.pauses[':part'].resume.$post({ param: { part }, json: change }))}
                        />
                      ) : (
                        <Action
                          key="pause"
                          label={`Pause for ${until}`}
                          run={(change) =>
                            load(api.pauses[':part'].pause.$post({ param: { part }, json: { ...change, until } }))
                          }
                        />
                      )}
                      <Command args={paused.has(part) ? `resume ${part}` : `pause ${part} --until ${until}`} />
                    </li>
                  ))}
                </ul>
              </Section>
            </>
          );
        }}
      </Loaded>
      <Loaded query={deadLetters}>
        {(queues) => queues.map((queue) => <DeadLetterPanel key={queue.worker} queue={queue} />)}
      </Loaded>
      {local && <Rehearsals />}
    </Page>
  );
};
