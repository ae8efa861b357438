import type { Interception } from '../../../emulator/embedded-aws';
import { type CallSite, type InjectedFault, type NthCall, nameOf } from './scenario';

type Effect = Interception['does'];

const json = (status: number, type: string): Effect => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': type },
  body: JSON.stringify({ __type: type, message: 'Injected fault' }),
});
const xml = (status: number, code: string): Effect => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Injected fault</Message></Error>`,
});

/** The error responses of each service: an internal error, and throttling. */
const errorResponses: Readonly<
  Partial<Record<CallSite['service'], { readonly internalError: Effect; readonly throttled: Record<string, Effect> }>>
> = {
  dynamodb: {
    internalError: json(500, 'InternalServerError'),
    throttled: {
      ThrottlingException: json(400, 'ThrottlingException'),
      ProvisionedThroughputExceededException: json(400, 'ProvisionedThroughputExceededException'),
    },
  },
  s3: { internalError: xml(500, 'InternalError'), throttled: { SlowDown: xml(503, 'SlowDown') } },
  sqs: {
    internalError: json(500, 'InternalFailure'),
    throttled: { ThrottlingException: json(400, 'ThrottlingException') },
  },
  secretsmanager: {
    internalError: json(500, 'InternalServiceError'),
    throttled: { ThrottlingException: json(400, 'ThrottlingException') },
  },
  http: {
    internalError: { status: 500 },
    throttled: { 'Too Many Requests': { status: 429, headers: { 'retry-after': '1' } } },
  },
};

/** Responses of SQS to a batch that reject its first entry: the only one, because each scenario has its own batches. */
const rejectedEntries: Readonly<Record<string, Effect>> = Object.fromEntries(
  Object.entries({
    'entry refused': { Failed: [{ Id: '0', SenderFault: false, Code: 'InternalError' }] },
    'entry not mentioned': { Successful: [], Failed: [] },
  }).map(([name, body]) => [
    name,
    { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify(body) },
  ]),
);

/** One way to interrupt a call. */
interface FaultKind {
  readonly name: string;
  readonly interception: Interception;
}

/** All ways to interrupt a call. A throttled call never takes effect, so throttling exists only before the call. */
const faultKindsOf = ({ service, operation }: CallSite): FaultKind[] => {
  const responses = errorResponses[service];
  if (responses === undefined) throw new Error(`The matrix has no error responses for ${service}`);
  const effects: Record<string, Effect> = {
    killed: 'kill',
    'timed out': 'hang',
    reset: 'reset',
    'HTTP 500': responses.internalError,
    ...(operation === 'SendMessageBatch' && rejectedEntries),
  };
  return [
    ...Object.entries(effects).flatMap(([name, does]) =>
      (['before', 'after'] as const).map((when) => ({ name, interception: { when, does } })),
    ),
    ...Object.entries(responses.throttled).map(([name, does]) => ({
      name,
      interception: { when: 'before' as const, does },
    })),
  ];
};

/** One row of the matrix: a fault, and the name of its test. */
export interface Row {
  readonly name: string;
  readonly fault: InjectedFault;
}

const rowOf = (site: CallSite, nth: InjectedFault['nth'], { name, interception }: FaultKind): Row => ({
  name: `${nameOf(site)} #${nth} ${name} ${interception.when}`,
  fault: { site, nth, interception },
});

/** S3 responds to a call with 500. */
export const failS3 = (lambda: string, operation: string, nth: InjectedFault['nth']): InjectedFault => ({
  site: { lambda, service: 's3', operation },
  nth,
  interception: { when: 'before', does: xml(500, 'InternalError') },
});

const failEach = (lambda: string, operation: string, does: Effect): InjectedFault => ({
  site: { lambda, service: 'http', operation },
  nth: 'each',
  interception: { when: 'before', does },
});
const failQualia = (does: Effect) => failEach('download', 'POST /api/vendor/graphql', does);
const failInternalApi = (does: Effect) => failEach('processing', 'POST /orders', does);

/** Kills the process before its first call of this kind. */
export const killBefore = (lambda: string, service: CallSite['service'], operation: string): InjectedFault => ({
  site: { lambda, service, operation },
  nth: 1,
  interception: { when: 'before', does: 'kill' },
});

/** Makes a worker fail at each receive: S3 fails, for which there is no circuit breaker. */
export const retryableFailures = {
  download: failS3('download', 'PutObject', 'each'),
  processing: failS3('processing', 'GetObject', 'each'),
};

/** Makes a worker fail permanently: an unreadable response, and a refusal. */
export const permanentFailures = {
  download: failQualia({ status: 200, body: '<html>' }),
  processing: failInternalApi({ status: 422 }),
};

/** Qualia responds to every call with 500. */
export const qualiaOutage = failQualia({ status: 500 });

/** Kills the first delivery before it sends the order to the next queue. The next delivery finds the item written. */
export const killBeforeSend = (lambda: 'webhook' | 'download'): InjectedFault =>
  killBefore(lambda, 'sqs', lambda === 'webhook' ? 'SendMessage' : 'SendMessageBatch');

/** Interrupts each call of a baseline once, in every way. */
export const interruptOnce = (calls: readonly NthCall[]): Row[] =>
  calls.flatMap((call) => faultKindsOf(call).map((kind) => rowOf(call, call.nth, kind)));

/**
 * Interrupts all calls of one kind, for each kind in a baseline, in every way. Time-outs are left out: a permanent
 * time-out differs from a permanent reset only in its duration.
 */
export const interruptAlways = (calls: readonly CallSite[]): Row[] => {
  const sites = new Map(calls.map((site) => [nameOf(site), site]));
  return [...sites.values()].flatMap((site) =>
    faultKindsOf(site)
      .filter(({ interception: { when, does } }) => when === 'before' && does !== 'hang')
      .map((kind) => rowOf(site, 'each', kind)),
  );
};
