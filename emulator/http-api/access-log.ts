import type { HttpResponse } from './response';

/** How an API wrote its response, for its access log. */
export interface Answer {
  readonly response: HttpResponse;
  readonly routeKey?: string | undefined;
  /** Whether a function was called. */
  readonly isIntegrated: boolean;
  /** How long the function took, if one was called. */
  readonly integrationLatencyMs?: number | undefined;
  /** Why API Gateway could not use a function. */
  readonly integrationError?: string | undefined;
}

/** A request, and how it was answered. */
export interface AnsweredRequest extends Answer {
  readonly requestId: string;
  readonly receivedAt: Date;
  readonly latencyMs: number;
  readonly method: string;
  readonly path: string;
  readonly sourceIp: string;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A time in the Common Log Format: `22/Nov/2026:08:30:00 +0000`. */
const clfTime = (at: Date): string => {
  const [day, month, time] = [at.toISOString().slice(8, 10), months[at.getUTCMonth()], at.toISOString().slice(11, 19)];
  return `${day}/${month}/${at.getUTCFullYear()}:${time} +0000`;
};

const messageIn = ({ body }: HttpResponse): string => {
  const parsed: unknown = JSON.parse(body.toString());
  return typeof parsed === 'object' && parsed !== null && 'message' in parsed ? String(parsed.message) : '';
};

/** The values of the variables, by name without `$context.`. */
const valuesOf = (request: AnsweredRequest): Readonly<Record<string, string | undefined>> => {
  const { response, isIntegrated, receivedAt, latencyMs } = request;
  return {
    requestId: request.requestId,
    requestTime: clfTime(receivedAt),
    requestTimeEpoch: String(receivedAt.getTime()),
    'identity.sourceIp': request.sourceIp,
    httpMethod: request.method,
    path: request.path,
    routeKey: request.routeKey,
    status: String(response.statusCode),
    responseLength: String(response.body.byteLength),
    responseLatency: String(Math.round(latencyMs)),
    'error.message': isIntegrated && request.integrationError === undefined ? undefined : messageIn(response),
    integrationStatus: isIntegrated ? '200' : undefined,
    integrationErrorMessage: request.integrationError,
  };
};

/**
 * Creates a line of the access log: replaces the variables of the stage's format. A variable without a value is `-`, as
 * in API Gateway.
 */
export const accessLine = (format: string, request: AnsweredRequest): string => {
  const values = valuesOf(request);
  return format.replaceAll(/\$context\.([A-Za-z.]+)/g, (_all, name: string) =>
    // The format is JSON, with each variable in quotes.
    JSON.stringify(values[name] ?? '-').slice(1, -1),
  );
};
