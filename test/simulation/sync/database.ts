import type { Random } from '../../../samples/random';
import { PipelineError } from '../../../shared/errors';
import { compareIds, type SourceRow, toSourceRow } from '../../../shared/iterable/rows';
import type { UserSource } from '../../../shared/iterable/source';
import { unconfigured } from '../../support/unconfigured';
import type { CallOptions } from '../aws-calls';

/** The fields of a customer and of the latest page view. Values repeat, so that a change is often changed back. */
const values = {
  first_name: ['Ada', 'Grace', 'Mary'],
  last_name: ['Byron', 'Hopper', 'Shelley'],
  candidate: ['yes', 'no'],
  page: ['pricing', 'settings'],
  device: ['desktop', 'phone'],
  browser: ['Firefox'],
  location: ['Springfield', 'Shelbyville'],
} as const;

/** Rows on one packet from the server. */
const rowsPerPacket = 200;

/** The source database: customers who change, join, leave the query and come back. */
export const createDatabase = (choose: Random, now: () => number) => {
  const customers = new Map<string, SourceRow>();
  const timeText = (): string => new Date(now()).toISOString().slice(0, 19).replace('T', ' ');
  const fresh = (): Partial<SourceRow> =>
    Object.fromEntries(Object.entries(values).map(([column, of]) => [column, choose.pick(of)]));

  const add = (): void => {
    const id = String(customers.size + 1);
    const fixed = { id, email: `user${id}@example.com`, plan_type: 'pro', event_time: timeText(), ...fresh() };
    customers.set(
      id,
      toSourceRow((column) => (fixed as Partial<SourceRow>)[column] ?? null),
    );
  };

  const rowsOf: UserSource['rows'] = async function* ({ plan, pages, cutoff, limit, afterId = '0' }) {
    const rows = [...customers.values()].filter(
      ({ id, plan_type, page, event_time }) =>
        plan_type === plan &&
        pages.includes(page ?? '') &&
        (event_time ?? '') >= cutoff &&
        compareIds(id ?? '', afterId) > 0,
    );
    yield* limit === 0 ? rows : rows.slice(0, limit);
  };

  return {
    customers: (): Iterable<SourceRow> => customers.values(),
    add,
    /** Changes a customer: some fields, the plan, or a new page view. */
    change: (): void => {
      const before = customers.get(String(choose.integer(1, customers.size)));
      if (before === undefined) return;
      const leaves = choose.chance(0.2);
      const plan_type = leaves ? (before.plan_type === 'pro' ? 'free' : 'pro') : before.plan_type;
      const event_time = choose.chance(0.5) ? timeText() : before.event_time;
      customers.set(before.id ?? '', { ...before, ...(choose.chance(0.7) && fresh()), plan_type, event_time });
    },
    /** Changes some fields of a customer. @returns a function that changes them back */
    flip: (): (() => void) => {
      const before = customers.get(String(choose.integer(1, customers.size)));
      if (before === undefined) return () => undefined;
      customers.set(before.id ?? '', { ...before, ...fresh() });
      return () => void customers.set(before.id ?? '', before);
    },
    /** The database as a process reads it. */
    sourceFor: ({ scheduler, faults, process, trace }: CallOptions): UserSource => {
      const call = async (what: string): Promise<void> => {
        await process.canRun();
        const fault = faults.ofCall('database');
        trace.add(process.name, `${what} database${fault === undefined ? '' : `: ${fault}`}`);
        if (fault === 'crash before') process.kill();
        await scheduler.sleep(2 * faults.latencyMs('database'));
        if (fault === 'crash after') process.kill();
        await process.canRun();
        if (fault === undefined) return;
        throw new PipelineError('CONNECTION_FAULT', 'The database does not respond', { retryable: true });
      };
      const read = async function* (what: string, rows: AsyncIterable<SourceRow>): AsyncGenerator<SourceRow> {
        await call(what);
        // A query reads what the database was when it began.
        const found: SourceRow[] = [];
        for await (const row of rows) found.push(row);
        for (let first = 0; first < found.length; first += rowsPerPacket) {
          if (first > 0) await call(what);
          yield* found.slice(first, first + rowsPerPacket);
        }
      };
      return {
        rows: (query) => read('query', rowsOf(query)),
        leavers: (ids) =>
          read(
            'leavers',
            (async function* () {
              for (const id of ids.toSorted(compareIds)) {
                const customer = customers.get(id);
                if (customer) {
                  const { email } = customer;
                  yield toSourceRow((column) => (column === 'id' ? id : column === 'email' ? email : null));
                }
              }
            })(),
          ),
        customer: unconfigured('customer'),
        missingColumns: async () => {
          await call('columns');
          return [];
        },
      };
    },
  };
};

export type Database = ReturnType<typeof createDatabase>;
