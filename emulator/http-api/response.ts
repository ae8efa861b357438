import * as z from 'zod';
import type { InvocationResult } from '../lambda/execution-environment';

const structuredSchema = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), z.coerce.string()).default({}),
  cookies: z.array(z.string()).default([]),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().default(false),
});

/** An HTTP response. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** A response of API Gateway itself. */
export const gatewayResponse = (statusCode: number, message: string): HttpResponse => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify({ message })),
});

/**
 * Converts a function's result to an HTTP response, in payload format 2.0: an object with a `statusCode` is a response,
 * any other result becomes the JSON body of a 200.
 */
export const toHttpResponse = ({ payload, functionError }: InvocationResult): HttpResponse => {
  if (functionError) {
    return gatewayResponse(500, 'Internal Server Error');
  }
  const result: unknown = JSON.parse(payload);
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    const body = typeof result === 'string' ? result : payload;
    return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
  }
  const structured = structuredSchema.safeParse(result);
  if (!structured.success) {
    return gatewayResponse(500, 'Internal Server Error');
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = structured.data;
  return {
    statusCode,
    headers: {
      'content-type': 'text/plain;charset=UTF-8',
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
    },
    body: Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'),
  };
};
