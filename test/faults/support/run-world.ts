import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Intercept, startEmbeddedAws } from '../../../emulator/embedded-aws';
import { readBody, serveOnLoopback } from '../../../emulator/loopback-server';
import { startInternalApiSimulator } from '../../../local/simulators/internal-api';
import { startIterableSimulator } from '../../../local/simulators/iterable';
import { startNetlifeSimulator } from '../../../local/simulators/netlife';
import { startQualiaSimulator } from '../../../local/simulators/qualia';
import { synthesize } from '../../../local/start/synthesize';
import { respondTo } from './responses';
import { isSentIndex, nameOf, type RecordedCall, type Scenario, scenarioIdPattern, siteOf } from './scenario';
import { loadUsers } from './users';
import { portals, readWorld, secrets } from './world';

/** High enough to never limit a call: rate limits have their own tests. */
const unlimited = 100_000;

/** The scenarios, with their recorded calls and log lines. */
const createScenarios = () => {
  const scenarios = new Map<
    string,
    Scenario & { readonly calls: RecordedCall[]; readonly counts: Map<string, number>; readonly logLines: string[] }
  >();
  const scenarioIdIn = (text: string) => scenarioIdPattern.exec(text)?.[0] ?? '';

  const intercept: Intercept = (call) => {
    const id = scenarioIdIn(call.event);
    const scenario = scenarios.get(id);
    if (scenario === undefined) return undefined;
    const site = siteOf(call);
    const name = nameOf(site);
    const nth = (scenario.counts.get(name) ?? 0) + 1;
    scenario.counts.set(name, nth);
    const faultIndex = scenario.faults.findIndex(
      (fault) => nameOf(fault.site) === name && (fault.nth === 'each' || fault.nth === nth),
    );
    const interception = scenario.faults[faultIndex]?.interception;
    const body = call.service === 'http' || isSentIndex(call.resource) ? call.body.toString() : '';
    const response = respondTo(call, id, scenario.calls);
    const arrived = interception?.when !== 'before';
    scenario.calls.push({ ...site, nth, resource: call.resource, body, faultIndex, arrived });
    if (interception !== undefined || response === undefined) return interception;
    const headers = { 'content-type': 'application/json' };
    const responseBody = response.body === undefined ? '' : JSON.stringify(response.body);
    return { when: 'before', does: { status: response.status, headers, body: responseBody } };
  };

  return {
    intercept,
    startsCold: (functionName: string, event: string) => {
      const coldLambda = scenarios.get(scenarioIdIn(event))?.coldLambda;
      return coldLambda !== undefined && (coldLambda === 'every' || functionName.endsWith(`-${coldLambda}`));
    },
    put: (id: string, scenario: Scenario) =>
      scenarios.set(id, { ...scenario, calls: [], counts: new Map(), logLines: [] }),
    /** Removes the faults. Calls are still recorded. */
    clearFaults: (id: string) => {
      const scenario = scenarios.get(id);
      if (scenario !== undefined) scenarios.set(id, { ...scenario, faults: [], coldLambda: undefined });
    },
    calls: (id: string) => scenarios.get(id)?.calls ?? [],
    log: (line: string) => void scenarios.get(scenarioIdIn(line))?.logLines.push(line),
    logLines: (id: string) => scenarios.get(id)?.logLines ?? [],
  };
};

/**
 * Usage: `run-world.ts <folder>`. Runs the real bundles on the embedded AWS, with simulators of every API, until the
 * parent process disconnects. Serves the scenarios: `PUT /<id>` creates one, `DELETE /<id>` removes its faults,
 * `GET /<id>` returns its calls, `GET /<id>/log` its log lines.
 */
const main = async (): Promise<void> => {
  const [stateDirectory = ''] = process.argv.slice(2);
  const assemblyDirectory = synthesize(() => undefined);
  mkdirSync(stateDirectory, { recursive: true });
  const secretsFile = path.join(stateDirectory, 'secrets.json');
  writeFileSync(secretsFile, JSON.stringify(secrets));
  const usersFile = path.join(stateDirectory, 'users.sqlite');
  loadUsers(usersFile, Date.now());

  const qualia = await startQualiaSimulator({ credentials: secrets.QualiaSecret, orders: [], answersDiffer: true });
  const internalApi = await startInternalApiSimulator({
    credentials: secrets.InternalApiSecret,
    stateFolder: stateDirectory,
  });
  const netlife = await startNetlifeSimulator({
    credentials: secrets.NetlifeSecret,
    portals: [
      { name: portals.small, jobs: 3, activitiesPerJob: 1, subjectsPerJob: 5 },
      { name: portals.large, jobs: 1, activitiesPerJob: 1, subjectsPerJob: 7 },
    ],
    pages: { shape: 'data', size: 2 },
    rateLimitPerSecond: unlimited,
  });
  const iterable = await startIterableSimulator({
    credentials: secrets.IterableSecret,
    limits: { 'users/bulkUpdate': unlimited, 'events/trackBulk': unlimited, 'users/getByEmail': unlimited },
  });

  const scenarios = createScenarios();
  const aws = await startEmbeddedAws({
    assemblyDirectory,
    stateDirectory,
    secretsFile,
    environmentOverrides: {
      QUALIA_API_URL: qualia.url,
      INTERNAL_API_URL: internalApi.url,
      NETLIFE_BASE_URL: netlife.baseUrl,
      ITERABLE_API_BASE_URL: iterable.url,
      DATABASE_URL: `sqlite:${usersFile}`,
    },
    maxConcurrency: 12,
    onLog: ({ message }) => scenarios.log(message),
    intercept: scenarios.intercept,
    forTests: { longestHiddenSeconds: 0.5, batchSize: 1, concurrentBatches: 12, startsCold: scenarios.startsCold },
  });

  const control = await serveOnLoopback(async (request, response) => {
    const [, id = '', resource] = request.url?.split('/') ?? [];
    if (request.method === 'PUT') scenarios.put(id, JSON.parse((await readBody(request)).toString()));
    if (request.method === 'DELETE') scenarios.clearFaults(id);
    response.end(JSON.stringify(resource === 'log' ? scenarios.logLines(id) : scenarios.calls(id)));
  });
  const world = readWorld({
    apiUrl: aws.apiUrl,
    endpoints: aws.endpoints,
    outputs: Object.assign({}, ...Object.values(aws.outputs)),
    scenarios: control.url,
    qualia: qualia.controlUrl,
    internalApi: internalApi.controlUrl,
  });
  process.send?.(world);
  // The channel also closes when the parent dies, so this process never outlives it.
  process.once('disconnect', async () => {
    await aws.stop();
    process.exit();
  });
};

void main();
