import type { ZodMiniType } from 'zod/mini';
import { errorCodes } from '../../../../shared/errors';
import { downloadMessageSchema, processingMessageSchema } from '../../../../shared/orders/message';
import {
  checksumSchema,
  orderIdSchema,
  orderSchema,
  requestIdSchema,
  roundSchema,
} from '../../../../shared/orders/order';
import { downloadMessage, orders, processingMessage } from '../../../support/orders';

const hex64 = 'a'.repeat(64);

test.each<[string, ZodMiniType, readonly string[], readonly unknown[]]>([
  [
    'order id',
    orderIdSchema,
    ['Q', 'QO-123456', 'bK8bg5tajNkDpDk25', 'a_b-C', 'x'.repeat(128)],
    ['', 'x'.repeat(129), 'a/b', 'a b', 'a.b', 'ä', 'a\n', '../x', 7, null, undefined],
  ],
  [
    'round',
    roundSchema,
    ['001767225600000-0123456789ab'],
    [
      '',
      '1767225600000-0123456789ab',
      '001767225600000-0123456789AB',
      '001767225600000',
      'x001767225600000-0123456789ab',
    ],
  ],
  ['request id', requestIdSchema, ['r', 'x'.repeat(64)], ['', 'x'.repeat(65), 1]],
  ['checksum', checksumSchema, [hex64], ['', hex64.toUpperCase(), `${hex64}0`, hex64.slice(1), 'z'.repeat(64)]],
])('%s: accepts valid values and rejects others', (_, schema, valid, invalid) => {
  for (const value of valid) expect([value, schema.safeParse(value).success]).toEqual([value, true]);
  for (const value of invalid) expect([value, schema.safeParse(value).success]).toEqual([value, false]);
});

describe('messages', () => {
  test('are read as they were sent', () => {
    expect(downloadMessageSchema.parse(downloadMessage())).toEqual(downloadMessage());
    expect(processingMessageSchema.parse(processingMessage())).toEqual(processingMessage());
  });

  test.each(['order_id', 'round', 'request_id'])('require %s', (field) => {
    expect(downloadMessageSchema.safeParse({ ...downloadMessage(), [field]: undefined }).success).toBe(false);
    expect(processingMessageSchema.safeParse({ ...processingMessage(), [field]: undefined }).success).toBe(false);
  });

  test.each(['s3_key', 'checksum'])('to processing require %s', (field) => {
    expect(processingMessageSchema.safeParse({ ...processingMessage(), [field]: undefined }).success).toBe(false);
  });

  test('lose unknown fields, so they never contain a payload', () => {
    expect(downloadMessageSchema.parse({ ...downloadMessage(), payload: 'x' })).toEqual(downloadMessage());
  });
});

describe("an order's item", () => {
  test.each([
    ['NOTIFIED', orders.notified()],
    ['DOWNLOADED', orders.downloaded()],
    ['PROCESSED', orders.processed()],
    ['FAILED', orders.failed('UNKNOWN_STATE')],
  ])('%s is read as it was written, and unknown fields are ignored', (_, order) => {
    expect(orderSchema.parse({ ...order, later_field: 1 })).toEqual(order);
  });

  test.each([
    ['DOWNLOADED', 'checksum', orders.downloaded()],
    ['DOWNLOADED', 's3_key', orders.downloaded()],
    ['PROCESSED', 'processed_at', orders.processed()],
    ['FAILED', 'error', orders.failed('TIMEOUT')],
    ['FAILED', 'failed_at', orders.failed('TIMEOUT')],
    ['NOTIFIED', 'notified_at', orders.notified()],
  ])('%s is rejected without %s', (_, field, order) => {
    expect(orderSchema.safeParse({ ...order, [field]: undefined }).success).toBe(false);
  });

  test.each(errorCodes)('can have failed with %s', (code) => {
    expect(orderSchema.safeParse(orders.failed(code)).success).toBe(true);
  });
});
