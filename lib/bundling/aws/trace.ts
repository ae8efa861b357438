import { InvokeStore } from '@aws/lambda-invoke-store';

/**
 * The headers that connect a call with its invocation, as the SDK sends them. Lambda's recursion detection depends on the
 * trace id. A runtime that runs several invocations at a time keeps it in an asynchronous context, the others in the
 * environment.
 */
export const traceHeaders = async (): Promise<Readonly<Record<string, string>>> => {
  const store = await InvokeStore.getInstanceAsync();
  const traceId = store.getXRayTraceId() ?? process.env._X_AMZN_TRACE_ID;
  const traceparent = store.getTraceparent();
  return {
    ...(traceId && process.env.AWS_LAMBDA_FUNCTION_NAME && { 'x-amzn-trace-id': traceId }),
    ...(traceparent && {
      traceparent,
      ...definedOnly({ tracestate: store.getTracestate(), baggage: store.getBaggage() }),
    }),
  };
};

const definedOnly = (headers: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value ? [[name, value]] : [])));
