import { plural } from '../../../../format';
import { Section } from '../../components/page';
import { SmallTable } from '../../components/small-table';
import type { RunDocument } from './run';

/** What was wrong before the jobs started: refused logins and keys, missing columns. */
export const Preflight = ({ faults }: { readonly faults: RunDocument['preflight'] }) => (
  <Section title="Found before anything was sent" aside={plural(faults.length, 'fault')}>
    <SmallTable
      label="Faults found before anything was sent"
      rows={faults}
      keyOf={({ check, error_code }) => `${check} ${error_code}`}
      columns={[
        { title: 'Check', cell: ({ check }) => check },
        { title: 'Code', cell: ({ error_code }) => <code>{error_code}</code> },
        { title: 'Fault', cell: ({ message }) => message },
      ]}
    />
  </Section>
);
