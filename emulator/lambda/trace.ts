import { createHash, randomBytes } from 'node:crypto';

/**
 * Lambda's limit on invocations of one function in one chain of requests. It stops the next invocation.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
const maxInvocations = 16;

/** Function fingerprint → number of its invocations in the chain of requests. */
type Lineage = Map<string, number>;

/** Starts a new trace: `Root=1-…`. */
export const newTraceRoot = (now = new Date()): string =>
  `Root=1-${Math.floor(now.getTime() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;

/**
 * Creates the trace header of an invocation. It continues the trace of the first cause. Its lineage counts the
 * invocations of each function in the chain of requests; with several causes, such as the messages of a batch, the
 * longest chain counts.
 * @param causes trace headers of the requests that caused this invocation
 */
export const traceOfInvocation = (functionArn: string, causes: readonly string[]): string => {
  const root = causes.flatMap((cause) => /(?:^|;)(Root=[^;]+)/.exec(cause)?.[1] ?? [])[0] ?? newTraceRoot();
  const lineage: Lineage = new Map();
  for (const [id, count] of causes.flatMap((cause) => [...readLineage(cause)])) {
    lineage.set(id, Math.max(count, lineage.get(id) ?? 0));
  }
  const id = fingerprint(functionArn);
  lineage.set(id, (lineage.get(id) ?? 0) + 1);
  const counts = [...lineage].map(([one, count]) => `${one}:${count}`).join('|');
  return `${root};Parent=${randomBytes(8).toString('hex')};Sampled=0;Lineage=${counts}`;
};

/** Whether the chain of requests of a trace header has reached Lambda's limit on invocations of a function. */
export const isRecursiveLoop = (functionArn: string, cause: string | undefined): boolean =>
  cause !== undefined && (readLineage(cause).get(fingerprint(functionArn)) ?? 0) >= maxInvocations;

const readLineage = (header: string): Lineage => {
  const [, text = ''] = /(?:^|;)Lineage=([^;]*)/.exec(header) ?? [];
  return new Map(
    text.split('|').flatMap((entry): [string, number][] => {
      const [, id, count] = /^([0-9a-f]{8}):(\d{1,9})$/.exec(entry) ?? [];
      return id === undefined ? [] : [[id, Number(count)]];
    }),
  );
};

/** ARN → fingerprint: each message and each invocation needs one. */
const fingerprints = new Map<string, string>();

const fingerprint = (functionArn: string): string => {
  const known = fingerprints.get(functionArn);
  if (known !== undefined) {
    return known;
  }
  const created = createHash('sha256').update(functionArn).digest('hex').slice(0, 8);
  fingerprints.set(functionArn, created);
  return created;
};
