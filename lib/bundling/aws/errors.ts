import type { HttpResponse } from './exchange';

/** `$metadata` of an output or an error. */
export interface ResponseMetadata {
  readonly httpStatusCode?: number;
  readonly requestId?: string | undefined;
  readonly extendedRequestId?: string | undefined;
  readonly clockSkewCorrected?: boolean;
  attempts?: number;
  totalRetryDelay?: number;
}

/** What a service says about an error. */
export interface ErrorDetails {
  /** The error's code: the name of its class, if the SDK has one. */
  readonly name: string;
  readonly message: string;
  readonly $metadata: ResponseMetadata;
  readonly retryAfterMs?: number | undefined;
  /** The other members of the error, such as `Item`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An error that AWS answered. Its class and its `name` are those of the SDK. */
export class ServiceException extends Error {
  readonly $fault: 'client' | 'server';
  readonly $metadata: ResponseMetadata;

  constructor({ name, message, $metadata, retryAfterMs, fields }: ErrorDetails) {
    super(message);
    Object.assign(this, fields);
    this.name = name;
    this.$fault = ($metadata.httpStatusCode ?? 0) < 500 ? 'client' : 'server';
    this.$metadata = $metadata;
    // Not enumerable: it is for the retries only.
    Object.defineProperty(this, 'retryAfterMs', { value: retryAfterMs });
  }
}

/** The classes of a service's errors, by code. */
export interface Exceptions {
  readonly base: typeof ServiceException;
  readonly byName: Readonly<Record<string, typeof ServiceException>>;
}

export const createException = ({ base, byName }: Exceptions, details: ErrorDetails): ServiceException =>
  new ((Object.hasOwn(byName, details.name) && byName[details.name]) || base)(details);

const textOf = (value: string | string[] | undefined): string | undefined => value?.toString();

export const metadataOf = ({ status, headers }: HttpResponse): ResponseMetadata => ({
  httpStatusCode: status,
  requestId: textOf(headers['x-amzn-requestid'] ?? headers['x-amzn-request-id'] ?? headers['x-amz-request-id']),
  extendedRequestId: textOf(headers['x-amz-id-2']),
});

/** The wait that the server asks for: seconds or a date in `retry-after`, milliseconds in Amazon's own header. */
export const retryAfterMsOf = ({ headers }: HttpResponse): number | undefined => {
  const amazon = textOf(headers['x-amz-retry-after']);
  if (amazon !== undefined) return Number(amazon) || undefined;
  const standard = headers['retry-after'];
  if (standard === undefined) return undefined;
  return Number(standard) * 1_000 || Date.parse(standard) - Date.now() || undefined;
};
