import { createHandler } from '../../lambdas/webhook/handler';
import type { KeepRefused } from '../../lambdas/webhook/keep-refused';
import { createLogger } from '../../shared/observability/logger';
import type { RoundOutcome, StartedRound, StartRound } from '../../shared/orders/start-round';
import { lambdaContext } from './lambda-context';
import { type CapturedLogs, ownFields } from './logs';
import { recordMetrics } from './metrics';
import { round } from './orders';
import { unconfigured } from './unconfigured';
import { type Call, webhookEvent } from './webhook-calls';

/** Test doubles of the authentication and of the start of a round. */
export interface WebhookDoubles {
  readonly authenticate?: (headers: Readonly<Record<string, string | undefined>>, body: Buffer) => Promise<boolean>;
  readonly startRound?: StartRound;
  readonly keepRefused?: KeepRefused;
}
/** Accepts every caller. */
export const authenticated = async () => true;
/** The result of starting a round, with the given outcome. */
export const started = (outcome: RoundOutcome, status: StartedRound['status'] = 'NOTIFIED'): StartedRound => ({
  outcome,
  round: round(),
  status,
});
/** Keeps every refused body. */
export const kept: KeepRefused = async () => 'refused-1';
export const queued: StartRound = async () => started('queued');

/** Calls the webhook. Checks that the response has the request ID, and that metrics are written once. */
export const callWebhook = async (
  call: Call = {},
  {
    authenticate = unconfigured('authenticate'),
    startRound = unconfigured('startRound'),
    keepRefused = unconfigured('keepRefused'),
  }: WebhookDoubles = {},
) => {
  const metrics = recordMetrics();
  let ticks = 0;
  const handler = createHandler({
    authenticate,
    startRound,
    keepRefused,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1.2.3' }),
    metrics: metrics.recorder,
    health: { version: '1.2.3', commit: 'abc', stage: 'dev' },
    newRequestId: () => 'request-1',
    monotonicNow: () => 12.345 * ticks++,
  });
  const response = await handler(webhookEvent(call), lambdaContext());
  const body: unknown = response.body && JSON.parse(response.body);
  expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': 'request-1' });
  return { status: response.statusCode, headers: response.headers ?? {}, body, added: metrics.added };
};

/** The fields of the only log line, without the fields of every line. */
export const onlyLine = (logs: CapturedLogs) => {
  const lines = logs.lines();
  expect(lines).toHaveLength(1);
  const [line = {}] = lines;
  expect(line).toMatchObject({
    stage: 'dev',
    version: '1.2.3',
    function_name: 'dev-marketplace-webhook',
    function_request_id: 'invocation-1',
  });
  return ownFields(line);
};
