import * as fc from 'fast-check';
import { graphQlErrorsThatMatter, judgeGraphQlErrors } from '../../../../shared/qualia/graphql-errors';

const needed = ['order', 'order'];
const judged = (error: unknown, orderId?: string) =>
  judgeGraphQlErrors(graphQlErrorsThatMatter({ errors: [error] }, needed), orderId);

/** Each with the code that its server gave it: the server is at fault, not the order. */
const transient = [
  ['request to https://orders.internal failed, reason: getaddrinfo ENOTFOUND orders.internal', 'INTERNAL_SERVER_ERROR'],
  ['PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND'],
  ['503: Service Unavailable: upstream host not found', 'INTERNAL_SERVER_ERROR'],
  ['Subgraph schema not found, router is reloading', 'SERVICE_UNAVAILABLE'],
  ['403: Forbidden', 'INTERNAL_SERVER_ERROR'],
] as const;

test.each(transient)('%j of code %s may pass, and so it may without a code', (message, code) => {
  expect(judged({ message, extensions: { code } })).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
  expect(judged({ message })).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
  expect(judged({ message, extensions: {} })).toMatchObject({ retryable: true });
  expect(judged({ message, extensions: { code: '' } })).toMatchObject({ retryable: true });
});

test.each([
  'Order not found',
  'order not found.',
  'ORDER NOT FOUND: QO-1',
  'ORDER_NOT_FOUND',
  'OrderNotFound',
  'The order was not found',
  'Error: Order "QO-1" not found',
  "GraphQL error: Order with id 'bK8bg5tajNkDpDk25' could not be found",
  'Order #123456 does not exist',
  'Order with _id bK8bg5tajNkDpDk25 doesn’t exist.',
  'No such order: QO-1',
  'Unknown order QO-1',
  'No order found',
  'No order with id QO-1 found',
  'Could not find order QO-1',
  "Can't find that order",
  'Not found: order QO-1',
  'Order not found. Please check the id.',
  'Order QO-abc not found',
])('%j says that the order is not found', (message) => {
  expect(judged({ message }, 'QO-abc')).toMatchObject({ code: 'ORDER_NOT_FOUND', retryable: false });
  // Unless the code says something else.
  const passing = { message, extensions: { code: 'INTERNAL_SERVER_ERROR' } };
  expect(judged(passing, 'QO-abc')).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
});

test.each([
  'Not authorized to view this order',
  'You are not authorised to access order QO-1',
  'You are not allowed to see this order.',
  'Order QO-1 is not allowed',
  'Access to this order is forbidden',
  'Access to order QO-1 denied',
  'You do not have permission to view this order',
  "You don't have access to order QO-1",
])('%j says that the order is not allowed', (message) => {
  expect(judged({ message })).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: false });
});

test.each([
  '',
  'not-found',
  'Not found',
  'Unauthorized',
  'Not authorised',
  'Forbidden',
  'You are not authorized to see this',
  'Order service not found',
  'Order resolver not found',
  'order-service-2 not found',
  'Orders not found',
  'Order host not found',
  'Cannot find module order',
  'Border not found',
  'In order to proceed, a token was not found',
  'Order could not be loaded: connection not found',
  'Cannot return null for non-nullable field Order.order',
  `${'Order '.repeat(60)}not found`,
])('%j does not say it of the order', (message) => {
  expect(judged({ message })).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
});

test.each(['NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED'])(
  'the code %s is permanent with any message',
  (code) => {
    for (const message of ['Oops', 'PersistedQueryNotFound', 'try again']) {
      expect(judged({ message, extensions: { code } })).toMatchObject({ retryable: false });
    }
  },
);

test('property: any other code is retryable with any message', () => {
  const code = fc
    .string({ minLength: 1 })
    .filter((text) => !/^(?:NOT_FOUND|FORBIDDEN|UNAUTH|BAD_U|GRAPHQL_V)/.test(text));
  const message = fc.constantFrom('Order not found', 'Forbidden', 'Not authorized to view this order');
  fc.assert(
    fc.property(code, message, (given, said) => {
      expect(judged({ message: said, extensions: { code: given } })).toMatchObject({ retryable: true });
    }),
  );
});

test('once a field is there, the errors that matter are those whose path does not lead away from it', () => {
  const step = fc.oneof(fc.constantFrom('order', 'outstanding_tasks', 'orders'), fc.nat({ max: 3 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4 }), (path) => {
      const [first = 'order', second = 'order'] = path;
      const matters = first === 'order' && second === 'order';
      const answer = (order: unknown) => ({ data: { order: { order } }, errors: [{ path }] });
      expect(graphQlErrorsThatMatter(answer({}), needed)).toHaveLength(matters ? 1 : 0);
      expect(graphQlErrorsThatMatter(answer(null), needed)).toHaveLength(1);
    }),
  );
});

test.each([null, [], {}, { errors: null }, { errors: {} }, { errors: [] }, 'errors'])('%j has no errors', (json) => {
  expect(graphQlErrorsThatMatter(json, needed)).toEqual([]);
});
