import { Link } from '@tanstack/react-router';
import { Badge } from '../../components/badge';
import { Command } from '../../components/command';
import type { StatusDocument } from './status';

type Finding = StatusDocument['findings'][number];

/** The screen that shows more about a finding. */
const screens = {
  circuit: '/queues',
  waiting: '/orders',
  'dead letters': '/queues',
  failed: '/orders',
  issue: '/issues',
  refused: '/webhooks',
  alarm: '/metrics',
  paused: '/queues',
  reconciler: '/metrics',
  completeness: '/metrics',
  sync: '/sync-runs',
  release: '/metrics',
  unknown: undefined,
} as const satisfies Record<Finding['subject'], string | undefined>;

/** The state of the stage in one sentence: the worst finding. */
export const Verdict = ({ findings }: { readonly findings: readonly Finding[] }) => {
  const [worst] = findings;
  const tone = worst === undefined ? 'good' : worst.severity === 'red' ? 'bad' : 'warning';
  return (
    <div className="verdict" data-tone={tone} role="status">
      <span className="verdict-sign" aria-hidden="true">
        {{ good: '✓', warning: '▲', bad: '!' }[tone]}
      </span>
      <p className="verdict-text">{worst?.text ?? 'All well'}</p>
      {findings.length > 1 && <span className="verdict-more">{findings.length - 1} more below</span>}
      {worst && <More finding={worst} />}
    </div>
  );
};

/** Everything that is not as it should be, the worst first. */
export const Findings = ({ findings }: { readonly findings: readonly Finding[] }) =>
  findings.length === 0 ? null : (
    <ul className="findings" aria-label="Findings">
      {findings.map((finding) => (
        <li key={finding.text}>
          <Badge tone={finding.severity === 'red' ? 'bad' : 'warning'}>{finding.subject}</Badge>
          <span className="finding-text">{finding.text}</span>
          {finding.command !== null && <Command args={finding.command} />}
          <More finding={finding} />
        </li>
      ))}
    </ul>
  );

const More = ({ finding: { subject } }: { readonly finding: Finding }) => {
  const to = screens[subject];
  return to === undefined ? null : (
    <Link className="more" to={to} aria-label={`Show ${subject}`}>
      Show →
    </Link>
  );
};
