import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Intercept, startEmbeddedAws } from '../../../emulator/embedded-aws';
import { readBody, serveOnLoopback } from '../../../emulator/loopback-server';
import { startInternalApiSimulator } from '../../../local/simulators/internal-api';
import { startIterableSimulator } from '../../../local/simulators/iterable';
import { startNetlifeSimulator } from '../../../local/simulators/netlife';
import { startQualiaSimulator } from '../../../local/simulators/qualia';
import { synthesize } from '../../../local/start/synthesize';
import { answerTo } from './answers';
import { type Cell, cellIdPattern, nameOf, type SeenCall, siteOf } from './cell';
import { loadUsers } from './users';
import { portals, readWorld, secrets } from './world';

/** Far above the rate of the matrix: rate limits have their own tests. */
const unlimited = 100_000;

/** The cells, and the results of their calls. */
const createCells = () => {
  const cells = new Map<
    string,
    Cell & { readonly seen: SeenCall[]; readonly counts: Map<string, number>; readonly logged: string[] }
  >();
  const cellIdIn = (event: string) => cellIdPattern.exec(event)?.[0] ?? '';

  const intercept: Intercept = (call) => {
    const id = cellIdIn(call.event);
    const cell = cells.get(id);
    if (cell === undefined) return undefined;
    const site = siteOf(call);
    const name = nameOf(site);
    const nth = (cell.counts.get(name) ?? 0) + 1;
    cell.counts.set(name, nth);
    const cut = cell.cuts.findIndex((one) => nameOf(one.site) === name && (one.nth === 'each' || one.nth === nth));
    const by = cell.cuts[cut]?.by;
    const body = call.service === 'http' ? call.body.toString() : '';
    const own = answerTo(call, id, cell.seen);
    cell.seen.push({ ...site, nth, resource: call.resource, body, cut, arrived: by?.when !== 'before' });
    if (by !== undefined || own === undefined) return by;
    const headers = { 'content-type': 'application/json' };
    const answered = own.body === undefined ? '' : JSON.stringify(own.body);
    return { when: 'before', does: { status: own.status, headers, body: answered } };
  };

  return {
    intercept,
    startsCold: (functionName: string, event: string) => {
      const cold = cells.get(cellIdIn(event))?.cold;
      return cold !== undefined && (cold === 'every' || functionName.endsWith(`-${cold}`));
    },
    put: (id: string, cell: Cell) => cells.set(id, { ...cell, seen: [], counts: new Map(), logged: [] }),
    /** From now on it is only observed. */
    heal: (id: string) => {
      const cell = cells.get(id);
      if (cell !== undefined) cells.set(id, { ...cell, cuts: [], cold: undefined });
    },
    seen: (id: string) => cells.get(id)?.seen ?? [],
    log: (line: string) => void cells.get(cellIdIn(line))?.logged.push(line),
    logged: (id: string) => cells.get(id)?.logged ?? [],
  };
};

/**
 * Runs the real bundles on the embedded AWS, with simulators of every API, and serves the cells: `PUT /<id>` creates
 * one, `DELETE /<id>` ends its faults, `GET /<id>` returns its calls, `GET /<id>/log` its log lines. Runs until its
 * parent disconnects: `run-world.ts <folder>`.
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
      { name: portals.usual, jobs: 3, activitiesPerJob: 1, subjectsPerJob: 5 },
      { name: portals.large, jobs: 1, activitiesPerJob: 1, subjectsPerJob: 7 },
    ],
    pages: { shape: 'data', size: 2 },
    rateLimitPerSecond: unlimited,
  });
  const iterable = await startIterableSimulator({
    credentials: secrets.IterableSecret,
    limits: { 'users/bulkUpdate': unlimited, 'events/trackBulk': unlimited },
  });

  const cells = createCells();
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
    onLog: ({ message }) => cells.log(message),
    intercept: cells.intercept,
    forTests: { longestHiddenSeconds: 0.5, batchSize: 1, concurrentBatches: 12, startsCold: cells.startsCold },
  });

  const control = await serveOnLoopback(async (request, response) => {
    const [, id = '', what] = request.url?.split('/') ?? [];
    if (request.method === 'PUT') cells.put(id, JSON.parse((await readBody(request)).toString()));
    if (request.method === 'DELETE') cells.heal(id);
    response.end(JSON.stringify(what === 'log' ? cells.logged(id) : cells.seen(id)));
  });
  const world = readWorld({
    apiUrl: aws.apiUrl,
    endpoints: aws.endpoints,
    outputs: Object.assign({}, ...Object.values(aws.outputs)),
    cells: control.url,
    qualia: qualia.controlUrl,
    internalApi: internalApi.controlUrl,
  });
  process.send?.(world);
  // Also if the parent died: no other process would stop it.
  process.once('disconnect', async () => {
    await aws.stop();
    process.exit();
  });
};

void main();
