import { type LoopbackServer, readBody, serveOnLoopback } from '../loopback-server';
import type { LambdaFunction } from './functions';

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations(?:\?|$)/;

/**
 * Serves Lambda's `Invoke` (`RequestResponse`, `Event` and `DryRun`), so that any SDK and the CLI can fire a function.
 * An `Event` that fails is not tried again.
 * @param find a function by its name or ARN
 */
export function startInvokeApi(
  find: (nameOrArn: string) => LambdaFunction | undefined,
  preferredPort?: number,
): Promise<LoopbackServer> {
  return serveOnLoopback(async (request, response) => {
    const body = (await readBody(request)).toString() || '{}';
    const [, nameOrArn] = INVOKE.exec(request.url ?? '') ?? [];
    const invoked = request.method === 'POST' && nameOrArn && find(decodeURIComponent(nameOrArn));
    if (!invoked) {
      response
        .writeHead(404, { 'content-type': 'application/json', 'x-amzn-errortype': 'ResourceNotFoundException' })
        .end(JSON.stringify({ Type: 'User', Message: `Function not found: ${nameOrArn ?? request.url}` }));
      return;
    }
    const cause = request.headers['x-amzn-trace-id']?.toString();
    if (invoked.stopsLoop(cause)) {
      const errortype = 'RecursiveInvocationException';
      const Message = 'Lambda has detected your function being invoked in a recursive loop with other AWS resources';
      response
        .writeHead(400, { 'content-type': 'application/json', 'x-amzn-errortype': errortype })
        .end(JSON.stringify({ Type: 'User', Message }));
      return;
    }
    const causes = cause === undefined ? [] : [cause];
    const type = request.headers['x-amz-invocation-type'];
    if (type === 'Event' || type === 'DryRun') {
      response.writeHead(type === 'Event' ? 202 : 204).end();
      if (type === 'Event') {
        await invoked.invoke(body, causes);
      }
      return;
    }
    const { payload, functionError } = await invoked.invoke(body, causes);
    response
      .writeHead(200, {
        'content-type': 'application/json',
        'x-amz-executed-version': '$LATEST',
        ...(functionError && { 'x-amz-function-error': functionError }),
      })
      .end(payload);
  }, preferredPort);
}
