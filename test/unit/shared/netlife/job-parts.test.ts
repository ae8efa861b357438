import { PipelineError } from '../../../../shared/errors';
import type { NetlifeClient } from '../../../../shared/netlife/client';
import { type EnrichedSubject, reachOf } from '../../../../shared/netlife/contacts';
import { type CollectOptions, collectJob, type JobPart } from '../../../../shared/netlife/job';
import type { Subject } from '../../../../shared/netlife/schemas';
import { activity, clientAt, collectOptions, details, subject } from '../../../support/netlife';

const job = { uuid: 'job-1', activities: [activity()] };
let client: NetlifeClient;
beforeEach(() => {
  client = clientAt('http://127.0.0.1:9/api/v1');
});
afterEach(() => client.close());

const enriched = (row: Subject): EnrichedSubject => ({
  subject: row,
  buyer: true,
  reach: reachOf(row),
  registeredUser: undefined,
  activities: job.activities,
  strategy: 'job',
});

/** Collects a job with these subjects, without HTTP calls. */
const collect = async (
  subjects: readonly Subject[],
  options: Partial<CollectOptions> = {},
  accessKeyOf: (subject: Subject) => Promise<string> = async () => 'key',
) => {
  jest.spyOn(client, 'getEnrichedSubjects').mockResolvedValue(subjects.map(enriched));
  jest.spyOn(client, 'getJobDetails').mockResolvedValue(details());
  jest.spyOn(client, 'getOrCreateAccessKey').mockImplementation((_job, row) => accessKeyOf(row));
  const parts: JobPart[] = [];
  const done = await collectJob(client, job, { ...collectOptions, ...options }, async (part) => parts.push(part));
  return { done, parts };
};

const numbered = (count: number) => Array.from({ length: count }, (_, index) => subject({ uuid: `s${index}` }));

test('subjects with at least one image are counted', async () => {
  const { parts } = await collect([subject({ uuid: 's1', images: ['i1'] }), ...numbered(1)]);
  expect(parts[0]?.statistics).toMatchObject({ subjects_total: 2, subjects_with_images: 1 });
});

test.each([
  ['exactly one part', 3, [3]],
  ['exactly two parts', 6, [3, 3]],
  ['one part and one subject more', 4, [3, 1]],
])('a job that fills %s has no empty last part', async (_what, subjects, contacts) => {
  const { done, parts } = await collect(numbered(subjects), { subjectsPerPart: 3 });
  expect(done).toBe(true);
  expect(parts.map((part) => part.contacts.length)).toEqual(contacts);
  expect(parts.map((part) => part.done)).toEqual(contacts.map((_, index) => index === contacts.length - 1));
});

test('no part is written if the time is up before the first subject', async () => {
  let calls = 0;
  expect(await collect(numbered(3), { isTimeUp: () => calls++ > 0 })).toEqual({ done: false, parts: [] });
});

describe('an access key that cannot be fetched for one of five subjects', () => {
  const failingFor = (error: Error) => (row: Subject) =>
    row.uuid === 's2' ? Promise.reject(error) : Promise.resolve('key');
  const refused = (statusCode: number) =>
    new PipelineError('API_REFUSED', 'refused', { api: 'netlife', retryable: false, statusCode });

  test('because of a response of the portal: its contacts are left out', async () => {
    const { parts } = await collect(numbered(5), {}, failingFor(refused(404)));
    expect(parts).toMatchObject([{ done: true, statistics: { access_keys_failed: 1, contacts_written: 4 } }]);
  });

  test.each([
    ['a refused login', refused(401)],
    ['a bug in our code', new TypeError('a bug')],
    ['an unreadable secret', new PipelineError('SECRET_UNREADABLE', 'no secret', { retryable: false })],
  ])('because of %s: the job fails', async (_what, error) => {
    await expect(collect(numbered(5), {}, failingFor(error))).rejects.toBe(error);
  });
});
