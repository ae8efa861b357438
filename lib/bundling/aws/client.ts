import { randomUUID } from 'node:crypto';
import { environmentCredentials } from '../environment-credentials';
import { createClock } from './clock-skew';
import { addressBucket, endpointOf, readRegion, type ServiceName } from './endpoint';
import { metadataOf, ServiceException } from './errors';
import { exchange } from './exchange';
import type { Command, OperationRequest, WithMetadata } from './operation';
import { createRetries } from './retry';
import { amzDate, authorizationOf, encodeQuery, hashBody } from './sign';
import type { Timeouts } from './timeouts';
import { traceHeaders } from './trace';

/** The options of the SDK's clients that this one supports. Any other one is an error. */
export interface ClientOptions {
  readonly region?: string;
  readonly endpoint?: string;
  readonly maxAttempts?: number;
  /** S3: whether the bucket is always a part of the path. */
  readonly forcePathStyle?: boolean;
  readonly requestHandler?: Timeouts & { readonly throwOnRequestTimeout?: boolean };
}

interface Service extends ServiceName {
  readonly maxAttempts: number;
  /** The longest wait before the second attempt. */
  readonly baseDelayMs: number;
}

const supportedOptions = ['region', 'endpoint', 'maxAttempts', 'forcePathStyle', 'requestHandler'];
const supportedTimeouts = ['connectionTimeout', 'requestTimeout', 'throwOnRequestTimeout', 'socketTimeout'];

const refuseOthers = (options: object, supported: readonly string[]): void => {
  const other = Object.keys(options).find((name) => !supported.includes(name));
  if (other !== undefined) throw new Error(`This bundle's AWS client does not support the option "${other}".`);
};

const userAgentOf = (prefix: string): string =>
  `marketplace-event-pipeline lang/js md/nodejs#${process.versions.node} api/${prefix} exec-env/${process.env.AWS_EXECUTION_ENV ?? 'none'}`;

/**
 * The class of a service's clients.
 *
 * @throws Error from its constructor, if an option is not supported
 */
export const clientOf = (service: Service) => {
  const userAgent = userAgentOf(service.prefix);
  return class {
    readonly #options: ClientOptions;
    readonly #clock = createClock();
    /** Read at the first call: an environment without a region has no endpoint. */
    #endpoint: URL | undefined;
    readonly #retry: ReturnType<typeof createRetries>;

    constructor(options: ClientOptions = {}) {
      refuseOthers(options, supportedOptions);
      refuseOthers(options.requestHandler ?? {}, supportedTimeouts);
      if (options.requestHandler?.requestTimeout && !options.requestHandler.throwOnRequestTimeout) {
        throw new Error('This bundle\'s AWS client supports "requestTimeout" only with "throwOnRequestTimeout".');
      }
      this.#options = options;
      const { maxAttempts = service.maxAttempts } = options;
      this.#retry = createRetries({ maxAttempts, baseDelayMs: service.baseDelayMs });
    }

    /**
     * Makes a call, with retries.
     *
     * @throws ServiceException for what AWS answers; the error of the connection, if there is no answer
     */
    async send<Input, Output>({ input, operation }: Command<Input, Output>): Promise<WithMetadata<Output>> {
      const region = this.#options.region ?? readRegion();
      const { maxAttempts = service.maxAttempts, requestHandler = {} } = this.#options;
      const request = operation.serialize(input);
      const { origin, path } = this.#addressOf(request, region);
      const common = {
        ...request.headers,
        host: origin.host,
        ...(await traceHeaders()),
        'user-agent': userAgent,
        'amz-sdk-invocation-id': randomUUID(),
        'x-amz-content-sha256': hashBody(request.body),
      };
      const query = encodeQuery(request.query);
      const target = query === '' ? path : `${path}?${query}`;

      const makeAttempt = async (attempt: number) => {
        const credentials = environmentCredentials();
        const offsetMs = this.#clock.offsetMs();
        const at = amzDate(this.#clock.now());
        const headers: Record<string, string> = {
          ...common,
          'amz-sdk-request': `attempt=${attempt}; max=${maxAttempts}`,
          'x-amz-date': at,
          ...(credentials.sessionToken && { 'x-amz-security-token': credentials.sessionToken }),
        };
        const scope = { service: service.prefix, region, credentials, at };
        headers.authorization = authorizationOf({ ...request, path, headers }, scope);

        const isStreamed = (status: number) => operation.isStreamed === true && status < 300;
        const response = await exchange(
          { method: request.method, origin, target, headers, body: request.body },
          requestHandler,
          isStreamed,
        );
        const error = operation.readError(response);
        if (error === undefined) return { response, output: operation.deserialize(response, input) };
        if (error instanceof ServiceException && this.#clock.correct(error.name, response.headers, offsetMs)) {
          Object.assign(error.$metadata, { clockSkewCorrected: true });
        }
        throw error;
      };

      const { result, attempts, totalRetryDelay } = await this.#retry(makeAttempt);
      return { ...result.output, $metadata: { ...metadataOf(result.response), attempts, totalRetryDelay } };
    }

    /** Does nothing: the connections are shared by all clients. */
    destroy(): void {}

    #addressOf({ path, bucket, queueUrl }: OperationRequest, region: string): { origin: URL; path: string } {
      const { endpoint: option, forcePathStyle = false } = this.#options;
      if (option === undefined && queueUrl !== undefined) return { origin: new URL(queueUrl), path };
      this.#endpoint ??= endpointOf(service, region, option);
      const endpoint = this.#endpoint;
      if (bucket === undefined) return { origin: endpoint, path };
      const address = addressBucket(endpoint, bucket, forcePathStyle);
      return { origin: address.origin, path: address.path + path };
    }
  };
};
