import type { Interception } from '../../../emulator/embedded-aws';
import { type CallSite, type Cut, type NthCall, nameOf } from './cell';

type Does = Interception['does'];

const json = (status: number, type: string): Does => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': type },
  body: JSON.stringify({ __type: type, message: 'A fault of the matrix' }),
});
const xml = (status: number, code: string): Does => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>A fault of the matrix</Message></Error>`,
});

/** What a service says when something is wrong with it, and when it is asked too often. */
const words: Readonly<
  Partial<Record<CallSite['service'], { readonly broken: Does; readonly throttled: Record<string, Does> }>>
> = {
  dynamodb: {
    broken: json(500, 'InternalServerError'),
    throttled: {
      ThrottlingException: json(400, 'ThrottlingException'),
      ProvisionedThroughputExceededException: json(400, 'ProvisionedThroughputExceededException'),
    },
  },
  s3: { broken: xml(500, 'InternalError'), throttled: { SlowDown: xml(503, 'SlowDown') } },
  sqs: {
    broken: json(500, 'InternalFailure'),
    throttled: { ThrottlingException: json(400, 'ThrottlingException') },
  },
  secretsmanager: {
    broken: json(500, 'InternalServiceError'),
    throttled: { ThrottlingException: json(400, 'ThrottlingException') },
  },
  http: {
    broken: { status: 500 },
    throttled: { 'Too Many Requests': { status: 429, headers: { 'retry-after': '1' } } },
  },
};

/** A row of the matrix, but for the call that it befalls. */
interface Fault {
  readonly kind: string;
  readonly by: Interception;
}

/** Everything that may befall a call; what is refused for being too much never takes effect. */
const faultsOf = ({ service }: CallSite): Fault[] => {
  const known = words[service];
  if (known === undefined) throw new Error(`The matrix has no words for ${service}`);
  const cuts: Record<string, Does> = { killed: 'kill', 'timed out': 'hang', reset: 'reset', 'HTTP 500': known.broken };
  return [
    ...Object.entries(cuts).flatMap(([kind, does]) =>
      (['before', 'after'] as const).map((when) => ({ kind, by: { when, does } })),
    ),
    ...Object.entries(known.throttled).map(([kind, does]) => ({ kind, by: { when: 'before' as const, does } })),
  ];
};

/** One row: what is cut, and how it is called. */
export interface Row {
  readonly name: string;
  readonly cut: Cut;
}

const rowOf = (site: CallSite, nth: Cut['nth'], { kind, by }: Fault): Row => ({
  name: `${nameOf(site)} #${nth} ${kind} ${by.when}`,
  cut: { site, nth, by },
});

/** S3 answers a call with 500. */
export const s3Fails = (lambda: string, operation: string, nth: Cut['nth']): Cut => ({
  site: { lambda, service: 's3', operation },
  nth,
  by: { when: 'before', does: xml(500, 'InternalError') },
});

const always = (lambda: string, service: CallSite['service'], operation: string, does: Does): Cut => ({
  site: { lambda, service, operation },
  nth: 'each',
  by: { when: 'before', does },
});
const askQualia = (does: Does) => always('download', 'http', 'POST /api/vendor/graphql', does);
const postOrder = (does: Does) => always('processing', 'http', 'POST /orders', does);

/** The process is killed before its first call of this kind. */
export const killed = (lambda: string, service: CallSite['service'], operation: string): Cut => ({
  site: { lambda, service, operation },
  nth: 1,
  by: { when: 'before', does: 'kill' },
});

/** What makes a stage fail at each receive: a bucket that does not answer, which opens no circuit. */
export const failing = {
  download: s3Fails('download', 'PutObject', 'each'),
  processing: s3Fails('processing', 'GetObject', 'each'),
};

/** What makes a stage fail for good: an answer that cannot be read, and a refusal. */
export const refusing = {
  download: askQualia({ status: 200, body: '<html>' }),
  processing: postOrder({ status: 422 }),
};

/** An API that is down for everybody. */
export const outage = askQualia({ status: 500 });

/** The first delivery dies before it hands the order on: the next one finds its work done. */
export const dyingBeforeSend = (lambda: string): Cut => killed(lambda, 'sqs', 'SendMessage');

/** Each call of a dry pass, cut once in every way. */
export const cutOnce = (calls: readonly NthCall[]): Row[] =>
  calls.flatMap((call) => faultsOf(call).map((fault) => rowOf(call, call.nth, fault)));

/**
 * Each kind of call in a dry pass, cut in every way, always. A time-out for ever is only slower than a reset for ever.
 */
export const cutAlways = (calls: readonly CallSite[]): Row[] => {
  const sites = new Map(calls.map((site) => [nameOf(site), site]));
  return [...sites.values()].flatMap((site) =>
    faultsOf(site)
      .filter(({ by }) => by.when === 'before' && by.does !== 'hang')
      .map((fault) => rowOf(site, 'each', fault)),
  );
};
