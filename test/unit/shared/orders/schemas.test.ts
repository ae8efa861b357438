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
])('%s: what is one and what is none', (_, schema, good, bad) => {
  for (const value of good) expect([value, schema.safeParse(value).success]).toEqual([value, true]);
  for (const value of bad) expect([value, schema.safeParse(value).success]).toEqual([value, false]);
});

describe('messages', () => {
  test('are read as they were sent', () => {
    expect(downloadMessageSchema.parse(downloadMessage())).toEqual(downloadMessage());
    expect(processingMessageSchema.parse(processingMessage())).toEqual(processingMessage());
  });

  test.each(['order_id', 'round', 'request_id'])('need %s', (field) => {
    expect(downloadMessageSchema.safeParse({ ...downloadMessage(), [field]: undefined }).success).toBe(false);
    expect(processingMessageSchema.safeParse({ ...processingMessage(), [field]: undefined }).success).toBe(false);
  });

  test.each(['s3_key', 'checksum'])('of processing need %s', (field) => {
    expect(processingMessageSchema.safeParse({ ...processingMessage(), [field]: undefined }).success).toBe(false);
  });

  test('never carry a payload', () => {
    expect(downloadMessageSchema.parse({ ...downloadMessage(), payload: 'x' })).toEqual(downloadMessage());
  });
});

describe("an order's item", () => {
  test.each([
    ['NOTIFIED', orders.notified()],
    ['DOWNLOADED', orders.downloaded()],
    ['PROCESSED', orders.processed()],
    ['FAILED', orders.failed('UNKNOWN_STATE')],
  ])('%s is read as it was written, with any other fields', (_, order) => {
    expect(orderSchema.parse({ ...order, later_field: 1 })).toEqual(order);
  });

  test.each([
    ['DOWNLOADED', orders.downloaded(), 'checksum'],
    ['DOWNLOADED', orders.downloaded(), 's3_key'],
    ['PROCESSED', orders.processed(), 'processed_at'],
    ['FAILED', orders.failed('TIMEOUT'), 'error'],
    ['FAILED', orders.failed('TIMEOUT'), 'failed_at'],
    ['NOTIFIED', orders.notified(), 'notified_at'],
  ])('%s is none without its %3$s', (_, order, field) => {
    expect(orderSchema.safeParse({ ...order, [field]: undefined }).success).toBe(false);
  });

  test.each(errorCodes)('may have failed by %s', (code) => {
    expect(orderSchema.safeParse(orders.failed(code)).success).toBe(true);
  });
});
