import { readGraphqlRequest } from '../../local/simulators/qualia-schema';
import { sampleOrders } from '../../samples/orders';
import { mapOrder } from '../../shared/internal-api/mapping';
import { orderResponseSchema } from '../../shared/qualia/order';
import { orderQuery } from '../../shared/qualia/query';
import type { FigureSet } from '../figure';
import { median, round, sum } from '../statistics';

const orders = 108;
const rounds = 200;
const warmUpRounds = 200;

/** Qualia's response to our query for each sample order. */
const sampleResponses = (): readonly string[] =>
  sampleOrders(orders).map((order) => {
    const resolvers = { order: () => ({ order, outstanding_tasks: order.outstanding_tasks }) };
    return JSON.stringify(readGraphqlRequest(orderQuery, { id: order._id }).run(resolvers));
  });

/** Microseconds per item: the median of rounds over all items. */
const timeOf = <T>(items: readonly T[], work: (item: T) => unknown) => {
  const roundsUs: number[] = [];
  return {
    round: () => {
      const startedAtMs = performance.now();
      for (const item of items) work(item);
      roundsUs.push(((performance.now() - startedAtMs) * 1000) / items.length);
    },
    us: () => median(roundsUs.slice(warmUpRounds)),
  };
};

/** Schema and mapping of an order in one thread, compared with `JSON.parse` of the same text. */
export const mapping: FigureSet<'mapping_ratio'> = {
  title: 'Schema and mapping',
  bars: { mapping_ratio: { unit: '× JSON.parse', bar: 3, better: 'lower' } },
  measure: async (note) => {
    const responses = sampleResponses();
    const parsed = responses.map((response): unknown => JSON.parse(response));
    const parsing = timeOf(responses, (response) => JSON.parse(response));
    const mapped = timeOf(parsed, (response) => mapOrder(orderResponseSchema.parse(response).data.order.order));
    for (let count = 0; count < warmUpRounds + rounds; count++) {
      parsing.round();
      mapped.round();
    }
    const meanBytes = sum(responses.map((response) => Buffer.byteLength(response))) / responses.length;
    note(`${orders} orders of ${round(meanBytes / 1000, 1)} kB on average`);
    note(`JSON.parse ${round(parsing.us(), 1)} µs, schema and mapping ${round(mapped.us(), 1)} µs per order`);
    note(`${Math.round(1e6 / mapped.us())} orders per second in one thread`);
    return { mapping_ratio: round(mapped.us() / parsing.us(), 2) };
  },
};
