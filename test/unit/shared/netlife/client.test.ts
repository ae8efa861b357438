import { groupByJob } from '../../../../shared/netlife/activities';
import type { NetlifeClient } from '../../../../shared/netlife/client';
import { login, subject } from '../../../support/netlife';
import { unconfigured } from '../../../support/unconfigured';
import { basicAuthorization } from '../../../support/webhook-calls';
import { scriptedPortal } from './scripted-portal';

const { respond, calls, origin, paths, newClient } = scriptedPortal();

const row = (uuid: string, more = {}) => ({ uuid, ...more });

describe('calls', () => {
  test('authenticates with HTTP Basic', async () => {
    respond({ body: 'any 2xx will do', status: 204 });
    await newClient().testConnection();
    expect(paths()).toEqual(['GET /activities/search?status_id=in-webshop']);
    expect(calls()[0]?.headers).toMatchObject({
      authorization: basicAuthorization(login.username, login.password),
      accept: 'application/json',
    });
  });

  test('returns unique activities, and reports unreadable ones', async () => {
    const activity = { uuid: 'a1', name: 'Spring', starting: null, job: { uuid: 'j1' } };
    respond({ body: { data: [activity, { uuid: 'a2', name: 'Ada' }], next: '?page=2' } }, { body: [activity, null] });
    const client = newClient();
    const activities = await client.getActivitiesInWebshop();
    expect(activities).toEqual([{ uuid: 'a1', name: 'Spring', starting: '', jobUuid: 'j1' }]);
    expect(groupByJob(activities)).toHaveLength(1);
    expect(client.takeStats()).toMatchObject({
      statistics: { activities_found: 1, api_calls_total: 2, rows_rejected: 2 },
      rejected: [
        { portal: 'nowandforeverphoto', list: 'activities', uuid: 'a2', position: 2, reason: 'job is missing' },
        { list: 'activities', position: 4, reason: expect.stringContaining('the row') },
      ],
    });
  });

  test('an activity with an unreadable start is used, counted and reported', async () => {
    const job = { uuid: 'j1' };
    const activities = [
      { uuid: 'a1', starting: '2026-02-30T08:00:00Z', job },
      { uuid: 'a2', starting: '20260301', job },
    ];
    respond({ body: activities });
    const client = newClient();
    expect(await client.getActivitiesInWebshop()).toHaveLength(2);
    const reason = 'starting is not a real instant, so its contacts get the start of the run';
    expect(client.takeStats()).toMatchObject({
      statistics: { activities_found: 2, rows_rejected: 1, errors: [`Activity a1: ${reason}`] },
      rejected: [{ list: 'activities', uuid: 'a1', position: 1, reason }],
    });
  });

  test('a list whose next page is only in a header is an error, not a complete list', async () => {
    respond({ body: [row('s1')], headers: { link: '</api/v1/jobs/j1/subjects?page=2>; rel="next"' } });
    await expect(newClient().getJobSubjects('j1', true)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });

  test('the first access key is used, even if the list has a further page', async () => {
    respond({ body: { data: ['K1'], has_more: true } }, { body: { data: [], has_more: true } });
    const client = newClient();
    expect(await client.getOrCreateAccessKey('j1', subject(), { create: true })).toBe('K1');
    await expect(client.getOrCreateAccessKey('j1', subject(), { create: true })).rejects.toMatchObject({
      code: 'BAD_ANSWER',
    });
    expect(paths().filter((path) => path.startsWith('POST'))).toEqual([]);
  });

  test('ids that are numbers keep their digits', async () => {
    respond({ body: '[{"uuid":9007199254740993,"external_id":12345678901234567890}]' }, { body: [] });
    const { buyers } = await newClient().getBuyersAndNonBuyers('j1');
    expect(buyers).toMatchObject([{ uuid: '9007199254740993', externalId: '12345678901234567890' }]);
  });

  test('buyers and non-buyers are requested concurrently, and are unique and sorted', async () => {
    let release: () => void = unconfigured('release');
    const bothArrived = new Promise<void>((resolve) => {
      release = resolve;
    });
    respond(
      { body: [row('s2'), row('s1'), row('s2')], before: () => bothArrived },
      { body: { results: [] }, before: () => release() },
    );
    const { buyers, nonBuyers } = await newClient().getBuyersAndNonBuyers('j 1');
    expect(buyers.map(({ uuid }) => uuid)).toEqual(['s1', 's2']);
    expect(nonBuyers).toEqual([]);
    const query = 'include_images=true&include_favorite_image=true';
    expect(paths().toSorted()).toEqual([
      `GET /jobs/j%201/subjects?filter_has_order=false&${query}`,
      `GET /jobs/j%201/subjects?filter_has_order=true&${query}`,
    ]);
  });

  test('the registered users of a job are mapped by subject, independent of their order', async () => {
    const users = [
      { subjectUuid: 's1', userUuid: 'u2', userUsername: 'b@x.example' },
      { subjectUuid: 's1', userUuid: 'u1', userUsername: 'a@x.example' },
      { subjectUuid: 's2', uuid: 'u3', email: 'c@x.example' },
      { subjectUuid: 's3', userUsername: 'ada@x.example' },
    ];
    respond({ body: users }, { body: { data: users.toReversed() } });
    const client = newClient();
    const map = await client.getJobRegisteredUsersMap('j1');
    expect([...map.keys()].toSorted()).toEqual(['s1', 's2']);
    expect(map.get('s1')).toEqual({ userUuid: 'u1', email: 'a@x.example' });
    expect((await client.getJobRegisteredUsersMap('j1')).get('s1')).toEqual(map.get('s1'));
    const { rejected } = client.takeStats('j1');
    expect(rejected).toHaveLength(2);
    expect(JSON.stringify(rejected)).not.toContain('ada');
  });

  test.each([[[{ userUuid: 'u1' }]], [{ success: true, data: [{ uuid: 'u1' }] }]])(
    'reads the registered users of a subject: %j',
    async (body) => {
      respond({ body });
      expect(await newClient().getRegisteredUsers('j1', 's1')).toEqual([{ userUuid: 'u1', email: '' }]);
      expect(paths()).toEqual(['GET /jobs/j1/subjects/s1/users']);
    },
  );

  test('an unexpected response is a permanent error', async () => {
    respond({ body: [] }, { body: 'null' });
    const client = newClient();
    await expect(client.getJobDetails('j1')).rejects.toMatchObject({ code: 'BAD_ANSWER', retryable: false });
    await expect(client.getUserDetails('u1')).rejects.toMatchObject({ code: 'BAD_ANSWER', retryable: false });
  });

  test('maps subjects to their activities', async () => {
    respond({ body: { name: 'Job', images: { i1: { activity_uuid: 'a2' } } } });
    const activity = (uuid: string) => ({ uuid, name: '', starting: '', jobUuid: 'j1' });
    const job = { uuid: 'j1', activities: [activity('a1'), activity('a2')] };
    const mapping = await newClient().buildSubjectActivityMapping(job, [subject({ images: ['i1'] })]);
    expect(mapping.get('subject-1')).toEqual({ activities: [activity('a2')], strategy: 'images' });
  });
});

describe('caches', () => {
  const job = { uuid: 'j1', activities: [{ uuid: 'a1', name: '', starting: '', jobUuid: 'j1' }] };
  const cached: [string, (client: NetlifeClient) => Promise<unknown>, unknown][] = [
    ['job details', (client) => client.getJobDetails('j1'), { name: 'Job' }],
    ['buyers', (client) => client.getJobSubjects('j1', true), []],
    ['non-buyers', (client) => client.getJobSubjects('j1', false), []],
    ['user details', (client) => client.getUserDetails('u1'), { phone_number: ' 5 ', name: 'Ada' }],
  ];

  test.each(cached)(
    '%s: concurrent callers share one call, and a failed call is not cached',
    async (_what, load, body) => {
      const client = newClient();
      respond({ status: 404 }, { body });
      await expect(Promise.all([load(client), load(client)])).rejects.toMatchObject({ code: 'API_REFUSED' });
      const [first, second] = await Promise.all([load(client), load(client)]);
      expect(await load(client)).toBe(first);
      expect(second).toBe(first);
      expect(client.getStatsSummary()).toMatchObject({ cache_hits: 3, cache_misses: 2, api_calls_total: 2 });
    },
  );

  test('enriched subjects: one entry per job and filters', async () => {
    const client = newClient();
    const buyers = { body: { data: [row('s1')] } };
    const usersOrDetails = { body: { data: [], name: 'Job' } };
    respond(buyers, { body: [] }, usersOrDetails, usersOrDetails);
    const filters = { audience: 'both', checkRegisteredUsers: true } as const;
    const all = await client.getEnrichedSubjects(job, filters);
    expect(await client.getEnrichedSubjects(job, filters)).toBe(all);
    expect(calls()).toHaveLength(4);
    expect(await client.getEnrichedSubjects(job, { audience: 'buyers', checkRegisteredUsers: false })).not.toBe(all);
    expect(calls()).toHaveLength(4);
  });

  test.each(['both', 'buyers', 'non-buyers'] as const)(
    'of a job without subjects, only the lists are fetched (%s)',
    async (audience) => {
      // A subject in both lists is a buyer.
      const lists = { both: [[], []], buyers: [[]], 'non-buyers': [[row('s1')], [row('s1')]] }[audience];
      respond(...lists.map((body) => ({ body })));
      expect(await newClient().getEnrichedSubjects(job, { audience, checkRegisteredUsers: true })).toEqual([]);
      expect(calls()).toHaveLength(lists.length);
    },
  );

  test('a released job is fetched again', async () => {
    const client = newClient();
    respond({ body: {} }, { body: {} });
    await client.getJobDetails('j1');
    client.releaseJob('j1');
    await client.getJobDetails('j1');
  });
});

test('user details contain only the phone number', async () => {
  respond({ body: { phone_number: ' 555 ', name: 'Ada' } });
  expect(await newClient().getUserDetails('u1')).toEqual({ phoneNumber: '555' });
});

test('prints the final statistics', () => {
  const client = newClient();
  client.incrementJobProcessed('j1');
  client.incrementJobFailed('j2', 'It failed');
  client.addSubjectStats('j1', { subjects_total: 3 });
  const printed: string[] = [];
  const text = client.logFinalStats((line) => printed.push(line));
  expect(printed).toEqual([text.trimEnd()]);
  expect(text).toContain('FINAL STATS - nowandforeverphoto (Generations)');
  expect(client.getStatsSummary()).toMatchObject({ jobs_processed: 1, jobs_failed: 1, errors: ['It failed'] });
  expect(client.origin).toBe(origin());
});
