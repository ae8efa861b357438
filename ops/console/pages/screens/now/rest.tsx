import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { plural } from '../../../../format';
import { Badge } from '../../components/badge';
import { Section } from '../../components/page';
import { Since, Time } from '../../components/time';
import { RunStatusBadge } from '../sync-runs/status';
import { isMissing, knownPart, type StatusDocument } from './status';

/** Completeness, alarms, sync runs and releases. */
export const Rest = ({
  status: { last_pass, alarms, issues, syncs, releases, stage },
}: {
  readonly status: StatusDocument;
}) => (
  <div className="columns">
    <Section title="Completeness" aside={<Link to="/metrics">Metrics →</Link>}>
      <Known part={last_pass}>{<Completeness pass={last_pass} />}</Known>
    </Section>
    <Section title="Issues" aside={<Link to="/issues">Issues →</Link>}>
      <Known part={issues}>
        <IssueList issues={knownPart(issues) ?? []} />
      </Known>
    </Section>
    <Section title="Alarms" aside={<Link to="/metrics">Alarms →</Link>}>
      <Known part={alarms}>
        <Alarms alarms={alarms} />
      </Known>
    </Section>
    <Section title="Sync runs" aside={<Link to="/sync-runs">Sync runs →</Link>}>
      <Known part={syncs}>
        <Syncs syncs={syncs} />
      </Known>
    </Section>
    <Section title="Releases">
      <Known part={releases}>
        <ul className="list">
          {(knownPart(releases) ?? []).map(({ version, commit, functions }) => (
            <li key={`${version} ${commit}`}>
              <strong>{version}</strong> <code>{commit.slice(0, 7)}</code> on {plural(functions.length, 'Lambda')} of{' '}
              {stage}
            </li>
          ))}
        </ul>
      </Known>
    </Section>
  </div>
);

/** Shows why a part is not known, or its children. */
const Known = ({ part, children }: { readonly part: unknown; readonly children: ReactNode }) =>
  isMissing(part) ? <p className="missing">Not known: {part.missing}.</p> : children;

const Completeness = ({ pass }: { readonly pass: StatusDocument['last_pass'] }) => {
  const last = knownPart(pass);
  if (last === undefined || last === null) return <p className="quiet-text">No pass in the last 24 hours.</p>;
  const lost = last.missing + last.drifted;
  return (
    <>
      <p>
        <Badge tone={lost === 0 ? 'good' : 'bad'}>{lost === 0 ? 'complete' : `${lost} lost and found`}</Badge>
      </p>
      <p>
        The last pass ended <Time at={last.ended_at} />: {last.known.toLocaleString('en')} known, {last.missing}{' '}
        missing, {last.drifted} drifted, {last.stuck} stuck, {last.in_flight} in flight.
      </p>
    </>
  );
};

type Issues = Exclude<StatusDocument['issues'], { readonly missing: string }>;
const shownIssues = 4;

const IssueList = ({ issues }: { readonly issues: Issues }) =>
  issues.length === 0 ? (
    <p className="quiet-text">No open issue.</p>
  ) : (
    <ul className="list">
      {issues.slice(0, shownIssues).map(({ id, state, error_code, count, last_seen }) => (
        <li key={id}>
          <Badge tone={state === 'open' ? 'bad' : 'warning'}>{state}</Badge> <code>{error_code}</code>{' '}
          {plural(count, 'failure')}, <Time at={last_seen} />
        </li>
      ))}
      {issues.length > shownIssues && <li>{issues.length - shownIssues} more</li>}
    </ul>
  );

const Alarms = ({ alarms }: Pick<StatusDocument, 'alarms'>) => {
  const known = knownPart(alarms);
  if (known === undefined) return null;
  if (known.raised.length === 0) return <p className="quiet-text">None of {known.total} is raised.</p>;
  return (
    <ul className="list">
      {known.raised.map(({ name, since }) => (
        <li key={name}>
          <Badge tone="bad">{name}</Badge> {since !== null && <Time at={since} />}
        </li>
      ))}
    </ul>
  );
};

const Syncs = ({ syncs }: Pick<StatusDocument, 'syncs'>) => {
  const known = knownPart(syncs);
  if (known === undefined) return null;
  const { running, last } = known;
  return (
    <ul className="list">
      {running.map(({ run_id, started_at }) => (
        <li key={run_id}>
          <Badge>running</Badge>{' '}
          <Link to="/sync-runs/$id" params={{ id: run_id }}>
            {run_id}
          </Link>{' '}
          for <Since at={started_at} />
        </li>
      ))}
      {last === null ? (
        <li className="quiet-text">No run has ended.</li>
      ) : (
        <li>
          <RunStatusBadge status={last.status} />{' '}
          <Link to="/sync-runs/$id" params={{ id: last.run_id }}>
            {last.run_id}
          </Link>
          , <Time at={last.ended_at} />
        </li>
      )}
    </ul>
  );
};
