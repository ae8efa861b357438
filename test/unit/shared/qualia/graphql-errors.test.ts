import * as fc from 'fast-check';
import { classifyGraphQlErrors, graphQlErrorsThatMatter } from '../../../../shared/qualia/graphql-errors';

const needed = ['order', 'order'];
const classify = (error: unknown, orderId?: string) =>
  classifyGraphQlErrors(graphQlErrorsThatMatter({ errors: [error] }, needed), orderId);

/** Messages and codes of faults in the server, which say nothing about the order. */
const transient = [
  ['request to https://orders.internal failed, reason: getaddrinfo ENOTFOUND orders.internal', 'INTERNAL_SERVER_ERROR'],
  ['PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND'],
  ['503: Service Unavailable: upstream host not found', 'INTERNAL_SERVER_ERROR'],
  ['Subgraph schema not found, router is reloading', 'SERVICE_UNAVAILABLE'],
  ['403: Forbidden', 'INTERNAL_SERVER_ERROR'],
] as const;

test.each(transient)('%j is retryable with the code %s, and without a code', (message, code) => {
  expect(classify({ message, extensions: { code } })).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
  expect(classify({ message })).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
  expect(classify({ message, extensions: {} })).toMatchObject({ retryable: true });
  expect(classify({ message, extensions: { code: '' } })).toMatchObject({ retryable: true });
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
])('%j means that the order does not exist', (message) => {
  expect(classify({ message }, 'QO-abc')).toMatchObject({ code: 'ORDER_NOT_FOUND', retryable: false });
  // An explicit code takes precedence over the message.
  const transient = { message, extensions: { code: 'INTERNAL_SERVER_ERROR' } };
  expect(classify(transient, 'QO-abc')).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
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
])('%j means that access to the order is denied', (message) => {
  expect(classify({ message })).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: false });
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
])('%j is not about the order, so it is retryable', (message) => {
  expect(classify({ message })).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
});

test.each(['NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED'])(
  'the code %s is permanent with any message',
  (code) => {
    for (const message of ['Oops', 'PersistedQueryNotFound', 'try again']) {
      expect(classify({ message, extensions: { code } })).toMatchObject({ retryable: false });
    }
  },
);

test.each([
  ['a permanent one', [{ extensions: { code: 'FORBIDDEN' } }], 'permanent GraphQL error, FORBIDDEN'],
  [
    'a transient one',
    [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    'transient GraphQL error, INTERNAL_SERVER_ERROR',
  ],
  ['an unknown one', [{ extensions: { code: 'ADA_BYRON' } }], 'transient GraphQL error, with an unknown code'],
  ['none', [{ message: 'Ada Byron' }], 'transient GraphQL error, without a code'],
  [
    'that of the error that decides',
    [{ message: 'Oops' }, { extensions: { code: 'UNAUTHENTICATED' } }],
    'permanent GraphQL error, UNAUTHENTICATED',
  ],
])('the message names a known code: %s', (_, errors, message) => {
  const error = classifyGraphQlErrors(graphQlErrorsThatMatter({ errors }, needed));
  expect(error.message).toBe(`Qualia returned a ${message}`);
});

test('property: any other code is retryable with any message', () => {
  const code = fc
    .string({ minLength: 1 })
    .filter((text) => !/^(?:NOT_FOUND|FORBIDDEN|UNAUTH|BAD_U|GRAPHQL_V)/.test(text));
  const message = fc.constantFrom('Order not found', 'Forbidden', 'Not authorized to view this order');
  fc.assert(
    fc.property(code, message, (anyCode, anyMessage) => {
      expect(classify({ message: anyMessage, extensions: { code: anyCode } })).toMatchObject({ retryable: true });
    }),
  );
});

test('if the needed field is present, only errors at its path, above it or below it matter', () => {
  const step = fc.oneof(fc.constantFrom('order', 'outstanding_tasks', 'orders'), fc.nat({ max: 3 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4 }), (path) => {
      const [first = 'order', second = 'order'] = path;
      const matters = first === 'order' && second === 'order';
      const response = (order: unknown) => ({ data: { order: { order } }, errors: [{ path }] });
      expect(graphQlErrorsThatMatter(response({}), needed)).toHaveLength(matters ? 1 : 0);
      expect(graphQlErrorsThatMatter(response(null), needed)).toHaveLength(1);
    }),
  );
});

test.each([null, [], {}, { errors: null }, { errors: {} }, { errors: [] }, 'errors'])('%j has no errors', (json) => {
  expect(graphQlErrorsThatMatter(json, needed)).toEqual([]);
});
