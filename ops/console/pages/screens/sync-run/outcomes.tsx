import { useNavigate } from '@tanstack/react-router';
import { formatDuration, plural } from '../../../../format';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Badge } from '../../components/badge';
import { Command } from '../../components/command';
import { Section } from '../../components/page';
import { SmallTable } from '../../components/small-table';
import { RunStatusBadge } from '../sync-runs/status';
import type { RunDocument } from './run';

type Outcome = RunDocument['outcomes'][number];

const shownReasons = 20;

/** What became of each job and portal, and what failed by reason. */
export const Outcomes = ({ run: { run_id, outcomes } }: { readonly run: RunDocument }) => (
  <>
    <Section title="Results">
      <SmallTable
        label="Results of the jobs"
        rows={outcomes}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Job', cell: ({ name }) => name },
          { title: 'Status', cell: ({ status }) => <RunStatusBadge status={status} /> },
          { title: 'Result', cell: (outcome) => <Result outcome={outcome} /> },
          {
            title: 'Took',
            isNumber: true,
            cell: ({ seconds }) => (seconds === null ? '–' : formatDuration(seconds)),
          },
        ]}
      />
    </Section>
    <Failures runId={run_id} outcomes={outcomes} />
  </>
);

const Result = ({ outcome: { message, warnings } }: { readonly outcome: Outcome }) => (
  <>
    {message}
    {warnings.map((warning) => (
      <span key={warning} className="result-warning">
        <Badge tone="warning">warning</Badge> {warning}
      </span>
    ))}
  </>
);

interface FailuresProps {
  readonly runId: string;
  readonly outcomes: readonly Outcome[];
}

const Failures = ({ runId, outcomes }: FailuresProps) => {
  const navigate = useNavigate();
  const open = ({ run_id: id }: { readonly run_id: string }): Promise<void> =>
    navigate({ to: '/sync-runs/$id', params: { id } });
  const reasons = outcomes
    .flatMap(({ name, reasons: own }) => own.map((reason) => ({ name, ...reason })))
    .sort((a, b) => b.count - a.count);
  const repeats = outcomes.filter(({ repeat }) => repeat !== null);
  const resendable = outcomes.filter(({ can_resend }) => can_resend);
  if (reasons.length === 0 && repeats.length === 0 && resendable.length === 0) return null;
  return (
    <Section
      title="Failures by reason"
      aside={plural(
        reasons.reduce((sum, { count }) => sum + count, 0),
        'row',
      )}
    >
      <SmallTable
        label="Failures by reason"
        rows={reasons.slice(0, shownReasons)}
        keyOf={({ name, outcome, error_code, reason }) => `${name} ${outcome} ${error_code} ${reason}`}
        columns={[
          { title: 'Job', cell: ({ name }) => name },
          {
            title: 'Outcome',
            cell: ({ outcome }) => <Badge tone={outcome === 'failed' ? 'bad' : 'warning'}>{outcome}</Badge>,
          },
          { title: 'Code', cell: ({ error_code }) => (error_code === null ? '–' : <code>{error_code}</code>) },
          { title: 'Reason', cell: ({ reason }) => reason },
          { title: 'Count', isNumber: true, cell: ({ count }) => count.toLocaleString('en') },
        ]}
      />
      {repeats.map(({ name, repeat }) => (
        <div key={name} className="panel-actions repeat">
          <span>{name}</span>
          <Action
            label="Collect the failed jobs again"
            run={async (change) =>
              open(await load(api['sync-runs'].$post({ json: { ...change, input: repeat ?? {} } })))
            }
          />
          <Command args={`sync start --input /dev/stdin <<< '${JSON.stringify(repeat)}'`} />
        </div>
      ))}
      {resendable.map(({ name }) => (
        <div key={name} className="panel-actions repeat">
          <span>{name}</span>
          <Action
            label="Send the failed rows again"
            run={async (change) =>
              open(await load(api['sync-runs'][':id'].resend.$post({ param: { id: runId }, json: change })))
            }
          />
          <Command args="sync start iterable --rows failed.csv" />
        </div>
      ))}
    </Section>
  );
};
