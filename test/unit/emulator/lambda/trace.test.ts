import fc from 'fast-check';
import { isRecursiveLoop, newTraceRoot, traceOfInvocation } from '../../../../emulator/lambda/trace';

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:worker';
const other = `${arn}-2`;

/** The trace header after a number of consecutive invocations. */
const chain = (functionArn: string, invocations: number, start: readonly string[] = []): readonly string[] =>
  Array.from({ length: invocations }).reduce<readonly string[]>(
    (causes) => [traceOfInvocation(functionArn, causes)],
    start,
  );

test('a function is stopped after 16 invocations in one chain of requests', () => {
  expect(isRecursiveLoop(arn, chain(arn, 15)[0])).toBe(false);
  expect(isRecursiveLoop(arn, chain(arn, 16)[0])).toBe(true);
});

test('a chain through several functions counts each function separately', () => {
  const both = chain(other, 3, chain(arn, 16));
  expect(isRecursiveLoop(arn, both[0])).toBe(true);
  expect(isRecursiveLoop(other, both[0])).toBe(false);
  expect(isRecursiveLoop(other, chain(other, 13, both)[0])).toBe(true);
});

test('a batch continues its longest chain and its first trace', () => {
  const [short = '', long = ''] = [...chain(arn, 1), ...chain(arn, 15)];
  const trace = traceOfInvocation(arn, [short, long]);
  expect(isRecursiveLoop(arn, trace)).toBe(true);
  expect(trace.split(';')[0]).toBe(short.split(';')[0]);
});

test('a header without a lineage starts a chain and keeps its trace', () => {
  const root = newTraceRoot();
  const header = `${root};Parent=53995c3f42cd8ad8;Sampled=1`;
  expect(isRecursiveLoop(arn, header)).toBe(false);
  expect(traceOfInvocation(arn, [header])).toMatch(
    new RegExp(`^${root};Parent=[0-9a-f]{16};Sampled=0;Lineage=[0-9a-f]{8}:1$`),
  );
});

test('property: any header is accepted, even an invalid one', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `Lineage=${text}`),
        ),
      ),
      (causes) => {
        const trace = traceOfInvocation(arn, causes);
        expect(trace).toMatch(/^Root=[^;]+;Parent=[0-9a-f]{16};Sampled=0;Lineage=/);
        expect(isRecursiveLoop(arn, chain(arn, 16, [trace])[0])).toBe(true);
      },
    ),
  );
});
