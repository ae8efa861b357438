import { createLogger } from '../../../../shared/observability/logger';
import { createMetrics } from '../../../../shared/observability/metrics';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import {
  description,
  echo,
  email,
  garbage,
  name,
  password,
  personalOrder,
  sensitiveValuesIn,
  username,
} from '../../../support/personal-data';
import { createReconcilerWorld } from '../../../support/reconciler';
import { startScriptedQualia } from '../../../support/scripted-apis';
import { type ScriptedResponse, times } from '../../../support/scripted-server';
import { secretOf } from '../../../support/secrets';
import { queued } from '../../../support/webhook-handler';

const environment = process.env;
let logs: CapturedLogs;
beforeEach(() => {
  process.env = { ...environment, POWERTOOLS_SERVICE_NAME: 'x', POWERTOOLS_METRICS_NAMESPACE: 'MarketplacePipeline' };
  logs = captureLogs();
});
afterEach(() => {
  logs.stop();
  process.env = environment;
});

/** @returns the result of the invocation, or its error, as JSON */
const reconcile = async (responses: readonly ScriptedResponse[], startRound = queued) => {
  const qualia = await startScriptedQualia({ credential: secretOf({ username, password }) });
  qualia.server.respond(...responses);
  const world = createReconcilerWorld({
    qualia: qualia.client,
    startRound,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    metrics: createMetrics({ STAGE: 'dev' }),
    now: () => Date.now(),
  });
  const result = await world.invoke();
  expect(qualia.server.left()).toBe(0);
  await qualia.stop();
  return JSON.stringify(result instanceof Error ? { ...result, stack: result.stack } : result);
};

const listed = (...orders: readonly object[]): ScriptedResponse => ({ body: { data: { orders: { orders } } } });

test.each<[string, readonly ScriptedResponse[], number]>([
  [
    'orders with personal data',
    [listed(personalOrder({ _id: 'QO-1' }), personalOrder({ _id: name })), listed(personalOrder({ _id: name }))],
    2,
  ],
  ['garbage', times(3, { body: garbage }), 3],
  ['a refusal that echoes the request', [{ status: 401, body: echo }], 1],
  ['faults', times(3, { status: 500, body: echo }), 3],
  [
    'GraphQL errors',
    times(2, { body: { errors: [{ message: `forbidden for ${email}`, extensions: { ...echo, code: 'FORBIDDEN' } }] } }),
    1,
  ],
])('%s: no personal data in log lines, metrics and result', async (_, responses, lines) => {
  const result = await reconcile(responses);
  expect(logs.lines()).toHaveLength(lines);
  expect(logs.metrics()).not.toEqual([]);
  expect(sensitiveValuesIn(`${logs.text()}\n${result}`)).toEqual([]);
});

test('a round that cannot be started: no personal data in log lines, metrics and result', async () => {
  const order = personalOrder({ _id: 'QO-1', purpose: description });
  const result = await reconcile([listed(order), listed(order)], async () => {
    throw new Error('AWS is down');
  });
  expect(logs.lines().map(({ level }) => level)).toEqual(['ERROR', 'INFO']);
  expect(sensitiveValuesIn(`${logs.text()}\n${result}`)).toEqual([]);
});
