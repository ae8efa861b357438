import {
  type Replay,
  renderPlan,
  renderReplay,
  renderResult,
  toReplayDocument,
} from '../../../../ops/commands/replay-view';
import { createTerminal } from '../../../../ops/commands/terminal';
import type { FinishedReplay } from '../../../../ops/services/replay/replay';
import type { ReplayResult } from '../../../../ops/services/replay/run-replay';
import type { StageConnection } from '../../../../ops/services/stage-connection';
import type { OrderId } from '../../../../shared/orders/order';
import { requestId, round } from '../../../support/orders';

const stage = { name: 'prod', local: false } as StageConnection;
const ids = (count: number): OrderId[] => Array.from({ length: count }, (_, index) => `QO-${index}` as OrderId);
const replayOf = (fields: Partial<Replay> = {}): Replay => ({
  stage,
  stageLabel: 'prod',
  stageCommand: 'pipeline --stage prod',
  orderIds: ids(30),
  source: { kind: 'qualia' },
  force: false,
  ratePerSecond: 10,
  reason: 'Qualia is back',
  ...fields,
});
const finished = (fields: Partial<FinishedReplay> = {}): FinishedReplay => ({
  stopped: undefined,
  fault: undefined,
  left: [],
  openCircuits: [],
  ...fields,
});
const begun = { requestId: requestId(crypto.randomUUID()), round: round() };
const result = (id: string, rest: object): ReplayResult => ({ orderId: id, ...begun, ...rest }) as ReplayResult;

test.each([
  [{}, 'Each is downloaded again and posted again if anything has changed: 30 orders in prod'],
  [
    { source: { kind: 'raw' } },
    'Each is mapped again from its stored payload and posted again if anything has changed',
  ],
  [
    { source: { kind: 'raw', round: round(1) } },
    `mapped again from the stored payload of round ${round(1)}, even if a newer one is stored and posted`,
  ],
  [{ force: true }, 'Each is downloaded again and posted again, even if nothing has changed: 30 orders'],
] as const)('a plan describes its effect: %j', (fields, expected) => {
  const candidates = [{ orderId: ids(1)[0] as OrderId, status: undefined, errorCode: undefined }];
  const plan = renderPlan(replayOf(fields), candidates, undefined);
  expect(plan).toContain(expected);
  expect(plan).toContain('at most 10 per second, at least 3 seconds, up to 0.01 USD at AWS.');
  expect(plan).toContain('QO-0   unknown\n… and 29 more\n');
});

test('results are counted by outcome and cause, successes first', () => {
  const results = [
    result('QO-1', { outcome: 'failed', code: 'UNKNOWN_STATE' }),
    result('QO-2', { outcome: 'not_started', error: 'There is no order QO-2.' }),
    result('QO-3', { outcome: 'not_started', error: 'There is no order QO-3.' }),
    result('QO-4', { outcome: 'unchanged' }),
    result('QO-5', { outcome: 'posted' }),
    result('QO-6', { outcome: 'superseded' }),
  ];
  expect(renderReplay(replayOf(), results, finished({ left: ids(2) })).split('\n')).toEqual([
    'RESULT       ORDERS  CAUSE',
    'posted       1',
    'unchanged    1',
    'superseded   1',
    'failed       1       UNKNOWN_STATE',
    'not started  2       There is no order ….',
    '4 new rounds started in prod, 3 failed, 2 not started.',
    "To continue: pipeline --stage prod orders replay QO-0 QO-1 --reason 'Qualia is back'",
  ]);
});

test.each([
  ['too_many_failed', 'Stopped: more than 10 % of the orders failed.'],
  ['circuit_open', 'Stopped: the circuit of the worker download and processing is open'],
  ['nothing_ends', 'Stopped: no order has ended for 15 minutes.'],
] as const)('a stopped replay has the reason, and the command that continues it: %s', (stopped, expected) => {
  const replay = replayOf({ source: { kind: 'raw' }, force: true, restPath: '/tmp/rest.ids' });
  const underWay = [result('QO-1', { outcome: 'under_way' })];
  const end = finished({ stopped, left: ids(5), openCircuits: ['download', 'processing'] });
  const text = renderReplay(replay, underWay, end);
  expect(text).toContain(expected);
  expect(text).toContain('Still in flight: QO-1.');
  expect(text).toContain(
    "pipeline --stage prod orders replay --from raw --force --ids /tmp/rest.ids --rest /tmp/rest.ids --reason 'Qualia is back'",
  );
  expect(toReplayDocument(replay, underWay, end)).toMatchObject({ stopped, left: ids(5), rest_file: '/tmp/rest.ids' });
});

test('tables and lines fit 80 columns', () => {
  const long = 'x'.repeat(500);
  const results = [
    result('QO-1', { outcome: 'failed', code: 'RETRIES_EXHAUSTED' }),
    result('QO-2', { outcome: 'not_started', error: `${long}\u001b[2J` }),
    result('QO-3', { outcome: 'posted' }),
  ];
  const table = renderReplay(replayOf(), results, finished()).split('\n').slice(0, -1);
  const terminal = createTerminal(
    { stdout: process.stdout, stderr: process.stderr, environment: { NO_COLOR: '1' } } as never,
    false,
  );
  const lines = results
    .filter(({ outcome }) => outcome !== 'not_started')
    .map((one) => renderResult(one, 29, terminal));
  for (const line of [...table, ...lines]) expect(line.length).toBeLessThanOrEqual(80);
  expect(table.join('')).not.toContain('\u001b');
});
