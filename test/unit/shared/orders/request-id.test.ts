import { requestIdSchema } from '../../../../shared/orders/order';
import { newRequestId } from '../../../../shared/orders/request-id';

test('is twenty hex digits, another one each time', () => {
  const ids = Array.from({ length: 1_000 }, newRequestId);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{20}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

test('is an id as an order and its messages can hold it', () => {
  const id = newRequestId();
  expect(requestIdSchema.parse(id)).toBe(id);
});
