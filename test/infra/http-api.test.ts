import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { resources, synthesize } from './synth';

const { orderPipeline } = synthesize('prod');

describe('the HTTP API', () => {
  const [stage] = resources(orderPipeline, 'AWS::ApiGatewayV2::Stage').map(({ Properties }) =>
    z
      .object({
        AccessLogSettings: z.object({ Format: z.string() }),
        DefaultRouteSettings: z.unknown(),
        RouteSettings: z.record(z.string(), z.unknown()),
      })
      .parse(Properties),
  );
  const routes = resources(orderPipeline, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey);

  test('sends everything to the webhook', () => {
    expect(routes.sort()).toEqual(['$default', 'GET /health', 'HEAD /health', 'POST /webhooks/qualia']);
    orderPipeline.hasResourceProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
    orderPipeline.hasResourceProperties('AWS::ApiGatewayV2::Stage', { StageName: '$default' });
  });

  test('has a throttle for the webhook that calls to other routes cannot use up', () => {
    expect(stage?.DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 200, ThrottlingBurstLimit: 500 });
    const others = routes.filter((route) => route !== 'POST /webhooks/qualia');
    const small = { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 };
    expect(stage?.RouteSettings).toEqual(Object.fromEntries(others.map((route) => [route, small])));
  });

  test('creates its routes before their settings', () => {
    const ids = Object.keys(orderPipeline.findResources('AWS::ApiGatewayV2::Route'));
    orderPipeline.hasResource('AWS::ApiGatewayV2::Stage', { DependsOn: Match.arrayWith(ids.sort()) });
  });

  test('logs each call, with errors that occurred before the webhook was invoked', () => {
    expect(JSON.parse(stage?.AccessLogSettings.Format ?? '')).toMatchObject({
      route: '$context.routeKey',
      status_code: '$context.status',
      error: '$context.error.message',
      integration_error: '$context.integrationErrorMessage',
    });
  });
});
