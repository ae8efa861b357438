import { createHandler } from '../../lambdas/webhook/handler';
import { createLogger } from '../../shared/observability/logger';
import type { RoundOutcome, StartedRound, StartRound } from '../../shared/orders/start-round';
import { lambdaContext } from './lambda-context';
import type { CapturedLogs } from './logs';
import { recordMetrics } from './metrics';
import { round } from './orders';
import { unconfigured } from './unconfigured';
import { type Call, webhookEvent } from './webhook-calls';

/** Doubles of the authentication and of the start of a round. */
export interface WebhookDoubles {
  readonly authenticate?: (headers: Readonly<Record<string, string | undefined>>, body: Buffer) => Promise<boolean>;
  readonly startRound?: StartRound;
}
export const known = async () => true;
/** The result of starting a round, with the given outcome. */
export const started = (outcome: RoundOutcome, status: StartedRound['status'] = 'NOTIFIED'): StartedRound => ({
  outcome,
  round: round(),
  status,
});
export const queued: StartRound = async () => started('queued');

/** Calls the webhook. Checks that the response has the request ID, and that metrics are written once. */
export const callWebhook = async (
  what: Call = {},
  { authenticate = unconfigured('authenticate'), startRound = unconfigured('startRound') }: WebhookDoubles = {},
) => {
  const metrics = recordMetrics();
  let ticks = 0;
  const handler = createHandler({
    authenticate,
    startRound,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1.2.3' }),
    metrics: metrics.recorder,
    health: { version: '1.2.3', commit: 'abc', stage: 'dev' },
    newRequestId: () => 'request-1',
    monotonicNow: () => 12.345 * ticks++,
  });
  const answer = await handler(webhookEvent(what), lambdaContext());
  const body: unknown = answer.body && JSON.parse(answer.body);
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': 'request-1' });
  expect(metrics.flushes()).toBe(1);
  return { status: answer.statusCode, headers: answer.headers ?? {}, body, added: metrics.added };
};

/** The fields of the only log line, without the fields of every line. */
export const onlyLine = (logs: CapturedLogs) => {
  const lines = logs.lines();
  expect(lines).toHaveLength(1);
  const { timestamp, service, stage, version, function_name, function_request_id, cold_start, xray_trace_id, ...own } =
    lines[0] ?? {};
  expect({ stage, version, function_name, function_request_id }).toEqual({
    stage: 'dev',
    version: '1.2.3',
    function_name: 'dev-marketplace-webhook',
    function_request_id: 'invocation-1',
  });
  return own;
};
