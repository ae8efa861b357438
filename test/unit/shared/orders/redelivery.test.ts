import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorCode, PipelineError, type PipelineErrorOptions } from '../../../../shared/errors';
import { MemoryWaitError } from '../../../../shared/orders/order-memory';
import { type Decision, decide, type FailedDelivery } from '../../../../shared/orders/redelivery';

const error = (code: ErrorCode, options: Partial<PipelineErrorOptions> = {}) =>
  new PipelineError(code, 'It failed', { retryable: true, ...options });
const first: FailedDelivery = { receiveCount: 1, maxReceiveCount: 5, apiWorks: true };
const last = { ...first, receiveCount: 5 };
const lastDuringOutage = { ...last, apiWorks: false };
const down = error('TIMEOUT', { api: 'internal' });

type Case = readonly [name: string, error: PipelineError, delivery: FailedDelivery, decision: Decision];

/** A row of the table in docs/architecture.md, "Failing well", and the decisions that it describes, without jitter. */
interface Row {
  readonly columns: readonly [error: string, message: string, order: string];
  readonly cases: readonly Case[];
}

const rows: readonly Row[] = [
  {
    columns: ['permanent', 'acknowledged', "FAILED, with the error's code"],
    cases: [
      ['first receive', error('API_REFUSED', { retryable: false }), first, { action: 'fail' }],
      ['last receive', error('API_REFUSED', { retryable: false }), last, { action: 'fail' }],
    ],
  },
  {
    columns: ['retryable', 'hidden for 30 s, doubling up to 15 min, or for the time in `Retry-After`', 'unchanged'],
    cases: [
      ['first receive', down, first, { action: 'hide', seconds: 30 }],
      ['fourth receive', down, { ...first, receiveCount: 4 }, { action: 'hide', seconds: 240 }],
      [
        'seventh of eight receives',
        down,
        { ...first, receiveCount: 7, maxReceiveCount: 8 },
        { action: 'hide', seconds: 900 },
      ],
      ['a short Retry-After', error('RATE_LIMITED', { retryAfterMs: 8_000 }), first, { action: 'hide', seconds: 30 }],
      [
        'a long Retry-After',
        error('RATE_LIMITED', { retryAfterMs: 3_600_001 }),
        first,
        { action: 'hide', seconds: 3_601 },
      ],
      [
        'a Retry-After of days',
        error('RATE_LIMITED', { retryAfterMs: 1e9 }),
        first,
        { action: 'hide', seconds: 43_000 },
      ],
    ],
  },
  {
    columns: [
      'retryable, at the fifth receive',
      'to the dead-letter queue',
      'FAILED, `RETRIES_EXHAUSTED`, with the cause in its message',
    ],
    cases: [
      ['the API responds to other messages', down, last, { action: 'exhaust' }],
      ['a fault of AWS', error('AWS_FAULT'), lastDuringOutage, { action: 'exhaust' }],
    ],
  },
  {
    columns: [
      'the same, without evidence that the API works',
      'acknowledged after a delayed fresh copy was sent',
      'unchanged',
    ],
    cases: [
      ['the API responds to no message', down, lastDuringOutage, { action: 'copyIfOpen', seconds: 480 }],
      ['rate limited', error('RATE_LIMITED', { api: 'qualia' }), last, { action: 'copyIfOpen', seconds: 480 }],
      ['larger orders used the memory', new MemoryWaitError('qualia'), last, { action: 'copyIfOpen', seconds: 480 }],
    ],
  },
  {
    columns: [
      'the circuit is open, so no call was made',
      'acknowledged after a delayed fresh copy was sent',
      'unchanged',
    ],
    cases: [
      ['first receive', error('CIRCUIT_OPEN', { retryAfterMs: 29_001 }), first, { action: 'copy', seconds: 30 }],
      ['last receive', error('CIRCUIT_OPEN', { retryAfterMs: 29_001 }), last, { action: 'copy', seconds: 30 }],
    ],
  },
  // decide() is not called: the worker rejects the message before its step (worker.test.ts).
  { columns: ['the message is not one of ours', 'to the dead-letter queue', 'none'], cases: [] },
];

test('the table in docs/architecture.md has these rows', () => {
  const document = readFileSync(join(__dirname, '../../../../docs/architecture.md'), 'utf8');
  const section = /^## Failing well\n(.*?)^## /ms.exec(document)?.[1] ?? '';
  const [, , ...documented] = section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(documented).toEqual(rows.map(({ columns }) => columns));
});

describe.each(rows.filter(({ cases }) => cases.length > 0))('$columns.0', ({ cases }) => {
  test.each(cases)('%s', (_, failure, delivery, decision) => {
    expect(decide(failure, delivery, () => 0)).toEqual(decision);
  });
});
