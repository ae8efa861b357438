import { type Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { type CfnStage, HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Config } from '../config';
import { LogGroup } from './log-group';
import type { NodeFunction } from './node-function';

const webhookPath = '/webhooks/qualia';

/** Route key of Qualia's webhook, as in the access log. */
export const webhookRoute = `POST ${webhookPath}`;

/** Throttle of the routes without authentication. Separate, so that untrusted callers cannot use up the webhook's. */
const publicThrottle = { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 };

/** Without the time, which CloudWatch stores with each line. */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    api_request_id: '$context.requestId',
    source_ip: '$context.identity.sourceIp',
    route: '$context.routeKey',
    status_code: '$context.status',
    latency_ms: '$context.responseLatency',
    error: '$context.error.message',
    integration_error: '$context.integrationErrorMessage',
  }),
);

/** The HTTP API in front of the webhook Lambda, and its access log. */
interface WebhookApi {
  readonly stage: HttpStage;
  readonly logs: LogGroup;
}

/** Creates the HTTP API in `stack`: the webhook's route, `/health`, and a default route that the webhook rejects. */
export const createWebhookApi = (stack: Stack, config: Config, webhook: NodeFunction): WebhookApi => {
  const integration = new HttpLambdaIntegration('webhook', webhook);
  const api = new HttpApi(stack, 'api', {
    apiName: `${config.stage}-marketplace`,
    createDefaultStage: false,
    // The webhook responds with 404 and 405 itself, in the same JSON as its other responses.
    defaultIntegration: integration,
  });
  api.addRoutes({ path: webhookPath, methods: [HttpMethod.POST], integration });
  api.addRoutes({ path: '/health', methods: [HttpMethod.GET, HttpMethod.HEAD], integration });
  Validations.of(api).acknowledge({
    id: 'AwsSolutions::AwsSolutions-APIG4',
    reason:
      'The webhook Lambda authenticates each caller: a signature covers the raw body, which authorizers do not get.',
  });
  const logs = new LogGroup(stack, 'api-logs', {
    config,
    // Log groups under this prefix share one resource policy, which does not grow with each API.
    name: `/aws/vendedlogs/${config.stage}-marketplace-api`,
  });
  const stage = new HttpStage(stack, 'api-stage', {
    httpApi: api,
    autoDeploy: true,
    throttle: { rateLimit: config.apiThrottle.ratePerSecond, burstLimit: config.apiThrottle.burst },
    accessLogSettings: { destination: new LogGroupLogDestination(logs), format: accessLogFormat },
  });
  (stage.node.defaultChild as CfnStage).routeSettings = Object.fromEntries(
    ['GET /health', 'HEAD /health', '$default'].map((route) => [route, publicThrottle]),
  );
  // API Gateway refuses settings of a route that does not exist yet.
  stage.node.addDependency(api);
  return { stage, logs };
};
