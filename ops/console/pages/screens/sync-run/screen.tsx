import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { formatDuration } from '../../../../format';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Badge } from '../../components/badge';
import { Command } from '../../components/command';
import { CopyId } from '../../components/copy';
import { Page, Section } from '../../components/page';
import { Empty, Loaded } from '../../components/states';
import { Time } from '../../components/time';
import { useLive } from '../../live';
import { RunStatusBadge } from '../sync-runs/status';
import { Files } from './files';
import { StateGraph } from './graph';
import { Input } from './input';
import { Outcomes } from './outcomes';
import { Preflight } from './preflight';
import { Progress } from './progress';
import type { RunDocument } from './run';
import { Waterfall } from './waterfall';

const route = getRouteApi('/sync-runs/$id');

/** One run of the sync jobs. */
export const SyncRunScreen = () => {
  const { id } = route.useParams();
  const request = { param: { id } };
  const query = useLive({
    url: api['sync-runs'][':id'].$url(request),
    read: () => load(api['sync-runs'][':id'].$get(request)),
  });
  return (
    <Page
      title="Sync run"
      summary={<CopyId value={id} />}
      actions={
        <>
          <Command args={`sync get ${id}`} />
          {query.data && <RunActions run={query.data} />}
        </>
      }
    >
      <Loaded query={query}>{(run) => <Run run={run} />}</Loaded>
    </Page>
  );
};

const Run = ({ run }: { readonly run: RunDocument }) => (
  <>
    <Head run={run} />
    {run.execution.error !== null && (
      <div className="banner run-error" role="status">
        <strong>{run.execution.error}</strong>
        <span>{run.execution.cause}</span>
      </div>
    )}
    {run.preflight.length > 0 && <Preflight faults={run.preflight} />}
    {run.progress.length > 0 && <Progress run={run} />}
    <Section title="State machine" aside="loops are counted">
      {run.graph === null ? (
        <Empty title="No picture">Step Functions keeps an execution for 90 days.</Empty>
      ) : (
        <StateGraph graph={run.graph} />
      )}
    </Section>
    {run.waterfall.length > 0 && <Waterfall rows={run.waterfall} />}
    {run.outcomes.length > 0 && <Outcomes run={run} />}
    {run.input !== null && <Input run={run} />}
    {run.files.length > 0 && <Files run={run} />}
  </>
);

const Head = ({
  run: { status, started_at, seconds, usual_seconds: usual, message, input, execution, has_ended },
}: {
  readonly run: RunDocument;
}) => (
  <dl className="run-head">
    <div>
      <dt>Status</dt>
      <dd>
        <RunStatusBadge status={status} /> {input?.dry_run === true && <Badge>dry run</Badge>}
      </dd>
    </div>
    <div>
      <dt>Started</dt>
      <dd>{started_at === null ? 'not yet' : <Time at={started_at} />}</dd>
    </div>
    <div>
      <dt>{has_ended ? 'Took' : 'Running for'}</dt>
      <dd>
        {seconds === null ? '–' : formatDuration(seconds)}{' '}
        <span className="quiet-text">
          {usual === null ? 'no usual duration yet' : `the median is ${formatDuration(usual)}`}
        </span>
      </dd>
    </div>
    {(execution.redrives ?? 0) > 0 && (
      <div>
        <dt>Redrives</dt>
        <dd>{execution.redrives}</dd>
      </div>
    )}
    {message !== null && (
      <div className="run-message">
        <dt>Newest message</dt>
        <dd>{message}</dd>
      </div>
    )}
  </dl>
);

const RunActions = ({ run: { run_id: id, status, can_stop, can_redrive, input } }: { readonly run: RunDocument }) => {
  const navigate = useNavigate();
  const runs = api['sync-runs'];
  const startAgain = async (change: { readonly reason: string }): Promise<void> => {
    const { run_id: _, dry_run: __, ...real } = input ?? {};
    const started = await load(runs.$post({ json: { ...change, input: real } }));
    await navigate({ to: '/sync-runs/$id', params: { id: started.run_id } });
  };
  return (
    <>
      {can_stop && (
        <Action
          key="stop"
          label="Stop"
          args={`sync stop ${id}`}
          tone="danger"
          run={(change) => load(runs[':id'].stop.$post({ param: { id }, json: change }))}
        />
      )}
      {can_redrive && (
        <Action
          key="redrive"
          label="Redrive"
          args={`sync redrive ${id}`}
          tone="primary"
          run={(change) => load(runs[':id'].redrive.$post({ param: { id }, json: change }))}
        />
      )}
      {input?.dry_run === true && status === 'SUCCEEDED' && (
        <Action key="start" label="Start it for real" tone="primary" run={startAgain} />
      )}
    </>
  );
};
