import { readNotice } from '../../../lambdas/webhook/notice';
import jurisdictions from '../../../samples/jurisdictions.json';
import { webhookSamples } from '../../../samples/webhook-samples';
import { mapOrder } from '../../../shared/internal-api/mapping';
import { readOrder } from '../../../shared/qualia/order';

const id = 'QO-1767623400000';
const accepted = webhookSamples.filter(({ orderOf }) => orderOf !== undefined);

test('there is a sample of each jurisdiction, and each name is unique', () => {
  const names = webhookSamples.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(jurisdictions)));
  expect(new Set(names).size).toBe(names.length);
});

test.each(accepted.map((sample) => [sample.name, sample]))(
  '%s: the webhook accepts it, and its order can be mapped',
  (name, sample) => {
    const call = sample.callOf(id, new Date());
    expect(readNotice(JSON.parse(call.body))).toMatchObject({ notice: { orderId: id } });
    const order = sample.orderOf?.(id);
    expect(order).toMatchObject({ _id: id, order_number: 'MKT-1767623400000' });
    const read = readOrder(Buffer.from(JSON.stringify({ data: { order: { order } } })));
    expect(read && mapOrder(read)).toMatchObject({
      order: { state: { stateCode: name === 'activity' ? 'TX' : name } },
    });
  },
);
