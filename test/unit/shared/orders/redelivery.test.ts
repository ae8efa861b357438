import { type ErrorCode, PipelineError, type PipelineErrorOptions } from '../../../../shared/errors';
import { type Decision, decide, type FailedDelivery } from '../../../../shared/orders/redelivery';

const error = (code: ErrorCode, options: Partial<PipelineErrorOptions> = {}) =>
  new PipelineError(code, 'A sentence', { retryable: true, ...options });
const first: FailedDelivery = { receiveCount: 1, maxReceiveCount: 5, apiWorks: true };
const last = { ...first, receiveCount: 5 };
const lastOfOutage = { ...last, apiWorks: false };
const down = error('TIMEOUT', { api: 'internal' });

/** The table of docs/architecture.md, "Failing well". Without jitter. */
const rows: readonly [string, PipelineError, FailedDelivery, Decision][] = [
  ['permanent', error('API_REFUSED', { retryable: false }), first, { action: 'fail' }],
  ['permanent, last receive', error('API_REFUSED', { retryable: false }), last, { action: 'fail' }],
  ['retryable', down, first, { action: 'hide', seconds: 30 }],
  ['retryable, fourth receive', down, { ...first, receiveCount: 4 }, { action: 'hide', seconds: 240 }],
  ['a short Retry-After', error('RATE_LIMITED', { retryAfterMs: 8_000 }), first, { action: 'hide', seconds: 30 }],
  ['a long Retry-After', error('RATE_LIMITED', { retryAfterMs: 3_600_001 }), first, { action: 'hide', seconds: 3_601 }],
  ['a Retry-After of days', error('RATE_LIMITED', { retryAfterMs: 1e9 }), first, { action: 'hide', seconds: 43_000 }],
  ['last receive, the API answers others', down, last, { action: 'exhaust' }],
  ['last receive, the API answers nobody', down, lastOfOutage, { action: 'spare', seconds: 480 }],
  ['last receive, too many calls', error('RATE_LIMITED', { api: 'qualia' }), last, { action: 'spare', seconds: 480 }],
  ['last receive, a fault of AWS', error('AWS_FAULT'), lastOfOutage, { action: 'exhaust' }],
  ['open circuit', error('CIRCUIT_OPEN', { retryAfterMs: 29_001 }), first, { action: 'copy', seconds: 30 }],
  [
    'open circuit, last receive',
    error('CIRCUIT_OPEN', { retryAfterMs: 29_001 }),
    last,
    { action: 'copy', seconds: 30 },
  ],
];

test.each(rows)('%s', (_, failure, delivery, decision) => {
  expect(decide(failure, delivery, () => 0)).toEqual(decision);
});
