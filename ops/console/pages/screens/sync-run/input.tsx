import { Link } from '@tanstack/react-router';
import { Section } from '../../components/page';
import { SmallTable } from '../../components/small-table';
import type { RunDocument } from './run';

const shown = (value: unknown): string => (value === undefined ? '–' : JSON.stringify(value));

/** The input of a run, and what the last run of the same jobs had instead. */
export const Input = ({ run: { input, previous } }: { readonly run: RunDocument }) => (
  <Section
    title="Input"
    aside={
      previous !== null && (
        <>
          compared with{' '}
          <Link to="/sync-runs/$id" params={{ id: previous.run_id }}>
            {previous.run_id}
          </Link>
        </>
      )
    }
  >
    {previous === null ? (
      <p className="quiet-text">There is no earlier run of the same jobs.</p>
    ) : previous.differences.length === 0 ? (
      <p className="quiet-text">The same as of the last run of these jobs.</p>
    ) : (
      <SmallTable
        label="Differences from the last run"
        rows={previous.differences}
        keyOf={({ key }) => key}
        columns={[
          { title: 'Key', cell: ({ key }) => <code>{key}</code> },
          { title: 'Last run', cell: ({ before }) => <code>{shown(before)}</code> },
          { title: 'This run', cell: ({ now }) => <code>{shown(now)}</code> },
        ]}
      />
    )}
    <details>
      <summary>The whole input</summary>
      <pre className="document">{JSON.stringify(input, null, 2)}</pre>
    </details>
  </Section>
);
