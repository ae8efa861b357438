import { createLookUp } from '../../../../lambdas/iterable-extract/look-up';
import { PipelineError } from '../../../../shared/errors';
import { type SourceRow, sourceColumns } from '../../../../shared/iterable/rows';
import type { UserSource } from '../../../../shared/iterable/source';
import { lambdaContext } from '../../../support/lambda-context';
import { unconfigured } from '../../../support/unconfigured';

const row = (values: Partial<SourceRow>): SourceRow => ({
  ...(Object.fromEntries(sourceColumns.map((name) => [name, null])) as SourceRow),
  ...values,
});
const asked = { customer: { id: '4', pages: ['pricing'] } };

const lookUp = (customer: UserSource['customer'], event: unknown = asked) => {
  const source = {
    rows: unconfigured('rows'),
    leavers: unconfigured('leavers'),
    missingColumns: unconfigured('missingColumns'),
    customer,
  };
  const handler = createLookUp(async (given) => ({ extracted: given }), { openSource: async () => source });
  return handler(event, lambdaContext());
};

test('looks up the plan of a customer and the latest view', async () => {
  const found = await lookUp(async function* (id, pages) {
    expect({ id, pages }).toEqual({ id: '4', pages: ['pricing'] });
    yield row({ id, plan_type: 'free', event_time: '2026-11-20 10:00:00' });
  });
  expect(found).toEqual({ known: true, plan: 'free', viewed_at: '2026-11-20 10:00:00' });
});

test('reports that there is no such customer', async () => {
  expect(await lookUp(async function* () {})).toEqual({ known: false });
});

test('returns the code of an error', async () => {
  const refused = new PipelineError('CONNECTION_FAULT', 'The database refused the query', { retryable: false });
  const result = await lookUp(() => {
    throw refused;
  });
  expect(result).toEqual({ error_code: 'CONNECTION_FAULT' });
});

test.each([{ run: { run_id: 'nightly' } }, { customer: { id: 'x', pages: ['pricing'] } }, null])(
  'leaves any other event to the extraction: %j',
  async (event) => {
    expect(await lookUp(unconfigured('customer'), event)).toEqual({ extracted: event });
  },
);
