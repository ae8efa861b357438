import { startIterableSimulator } from '../../../local/simulators/iterable';
import { startNetlifeSimulator } from '../../../local/simulators/netlife';
import { type SourceRow, sourceColumns, sourceRowSchema } from '../../../shared/iterable/rows';
import { createLogger } from '../../../shared/observability/logger';
import { captureLogs } from '../../support/logs';
import { containsValue, peopleIn } from '../../support/personal-data';
import { unconfigured } from '../../support/unconfigured';
import { credentials, setFaults, startSystem } from './system';

const portal = 'nowandforeverphoto';
const person = {
  email: 'olga.private+invalid@example.com',
  first_name: 'Olga',
  last_name: 'Private',
  location: 'Secretville',
};
const rows: readonly SourceRow[] = Array.from({ length: 8 }, (_, index) =>
  sourceRowSchema.parse({
    ...Object.fromEntries(sourceColumns.map((column) => [column, null])),
    ...person,
    id: String(index + 1),
    email: index === 0 ? 'no e-mail of Olga' : index < 4 ? person.email : `user${index}@example.com`,
    page: 'pricing',
    event_time: '2026-01-02 03:04:05',
  }),
);

test('log lines and errors contain no personal data and no credentials', async () => {
  const netlife = await startNetlifeSimulator({
    credentials: credentials.netlife,
    portals: [{ name: portal, jobs: 4, activitiesPerJob: 1, subjectsPerJob: 10 }],
    rateLimitPerSecond: 100_000,
  });
  const iterable = await startIterableSimulator({ credentials: credentials.iterable });
  const logs = captureLogs();
  const system = await startSystem({
    netlifeUrl: netlife.baseUrl,
    iterableUrl: iterable.url,
    source: {
      rows: async function* () {
        yield* rows;
      },
      leavers: async function* () {},
      customer: unconfigured('customer'),
      missingColumns: async () => [],
    },
    logger: createLogger({ STAGE: 'test', SERVICE_VERSION: '1.2.3' }),
  });
  const errors: string[] = [];
  const recordError = async (step: Promise<unknown>) =>
    errors.push(String(await step.catch((error: unknown) => error)));
  const body = JSON.stringify({ code: 'BadParams', msg: person.email, email: person.email });

  const run = await system.plan({ run_id: 'personal', netlife: { portals: [portal] }, iterable: { confirm: 20 } });
  await setFaults(
    netlife.controlUrl,
    { kind: 'server_error', times: 1, body },
    { kind: 'client_error', match: { call: 'access_keys' }, times: 3, body },
    { kind: 'garbage', times: 1, body: `<html>${person.email}</html>` },
  );
  await system.collect(run, portal);
  const merged = await system.merge(run, portal);
  await system.extract(run);
  await setFaults(iterable.controlUrl, { kind: 'server_error', times: 1, body, retry_after: 0 });
  await system.push(run);
  const reported = await system.report(run);
  await recordError(
    system.finish(run, { netlife: { portals: [merged] }, iterable: { ...(reported as object), status: 'FAILED' } }),
  );
  await recordError(system.plan({ run_id: 'other', iterable: { plan: person.email } }));
  await setFaults(netlife.controlUrl, { kind: 'login_refused', body });
  const refused = await system.plan({ run_id: 'refused', netlife: { portals: [portal] }, iterable: {} });
  await recordError(system.collect(refused, portal));
  await system.extract(refused);
  await setFaults(iterable.controlUrl, { kind: 'bad_api_key', message: person.email });
  errors.push(JSON.stringify(await system.preflight(refused)));
  await recordError(system.push(refused));

  const text = logs.text();
  logs.stop();
  const folder = system.folder(run.run_id);
  const files = [...(await folder.list(''))].filter((path) => path.endsWith('.csv'));
  const people = (await Promise.all(files.map(async (path) => peopleIn((await folder.readText(path)) ?? '')))).flat();
  system.stop();
  await Promise.all([netlife.stop(), iterable.stop()]);
  expect(logs.lines().map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      'sync step',
      'a try failed, will retry',
      'user failed',
      'check failed',
      'sync step failed',
    ]),
  );
  expect(errors).toHaveLength(5);
  expect(people.length).toBeGreaterThan(20);
  const written = `${text}\n${errors.join('\n')}`;
  const credential = Buffer.from(`${credentials.netlife.username}:${credentials.netlife.password}`).toString('base64');
  for (const secret of [
    ...Object.values(person),
    'example.com',
    '@family',
    '(555)',
    credential,
    ...Object.values(credentials.netlife),
    ...Object.values(credentials.iterable),
    ...people,
  ])
    expect(containsValue(written, secret) && secret).toBe(false);
});
