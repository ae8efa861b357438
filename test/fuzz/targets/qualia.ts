import { validateHeaderValue } from 'node:http';
import * as fc from 'fast-check';
import { errorCodes, PipelineError } from '../../../shared/errors';
import { maxOpenMs } from '../../../shared/http/circuit-breaker';
import { type Mapping, mapOrder } from '../../../shared/internal-api/mapping';
import { createQualiaClient } from '../../../shared/qualia/client';
import { readOrder } from '../../../shared/qualia/order';
import { qualiaOrder, qualiaOrderId, qualiaResponse } from '../../support/qualia-orders';
import { secretOf } from '../../support/secrets';
import { type Bytes, hostileBytes, largeCorpus, toBuffer } from '../bytes';
import { anyCoding, type Coding, codings } from '../codings';
import type { FuzzTarget } from '../engine';
import { hostileTexts } from '../hostile-values';
import { leaksOf } from '../leaks';
import { anyTruncation, startResponseServer } from '../response-server';

const password = 'pa55-hunter2-9b1c';

interface Input {
  readonly call: 'fetchOrder' | 'listOpenOrders';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Bytes;
  readonly coding?: Coding | undefined;
  readonly truncated: boolean;
}

type Outcome =
  | { readonly mapping: Mapping; readonly posted: string; readonly sameBytes: boolean; readonly sameDigits: boolean }
  | { readonly fingerprints: readonly (string | undefined)[] }
  | { readonly error: PipelineError };

const open = async () => {
  let nowMs = Date.now();
  const server = await startResponseServer();
  const client = createQualiaClient({
    url: `${server.origin}/api/vendor/graphql`,
    credential: secretOf({ username: 'us', password }),
    now: () => nowMs,
    sleep: async () => onWait(),
    onCircuitOpen: () => undefined,
  });
  return { server, client, skipOpenCircuit: () => (nowMs += maxOpenMs) };
};
/** Set for each input. */
let onWait: () => void = () => undefined;
let opened: ReturnType<typeof open> | undefined;

/** Processes a response like the two workers. */
const process = (bytes: Uint8Array, sent: Buffer): Outcome => {
  const order = readOrder(bytes);
  if (order === undefined) throw new Error('The downloaded response contains no order');
  const mapping = mapOrder(order);
  const posted = mapping.kind === 'mapped' ? JSON.stringify(mapping.order) : '';
  const sameDigits = !/^[-+.\deE]+$/.test(order.order_number) || sent.includes(order.order_number);
  return { mapping, posted, sameBytes: sent.equals(bytes), sameDigits };
};

const validOrder = qualiaOrder();
const responses = [
  ...[validOrder, { ...validOrder, properties: [{ state: 'Guam' }, { state: 'd.c.' }, {}, null] }].map((order) => ({
    data: { order: { order, outstanding_tasks: [] } },
  })),
  { data: { order: null } },
  { data: null, errors: [{ message: 'Order not found', extensions: { code: 'NOT_FOUND' } }] },
  { errors: [{ message: 'Internal server error', path: ['order'], locations: [{ line: 1, column: 2 }] }] },
  { data: { order: { order: validOrder } }, errors: [{ message: 'Oops', path: ['order', 'outstanding_tasks', 0] }] },
  { data: { orders: { orders: [{ _id: 'bK8bg5tajNkDpDk25' }, { _id: 'QO-1' }] } } },
];

const isHeaderValue = (value: string): boolean => {
  try {
    validateHeaderValue('x', value);
    return true;
  } catch {
    return false;
  }
};
const headerValues = [...hostileTexts, '0', '-1', '1.5', '99999999999', 'Fri, 31 Dec 9999 23:59:59 GMT', 'gzip', 'br'];
const invalidRetryAfters = ['wait 5', 'after 5', 'sec 10', '9999999999', '1.5', '-1', '120, 120'];

/** Temporary errors whose texts resemble permanent ones. */
const temporaryErrors = [
  ['request to https://orders.internal failed, reason: getaddrinfo ENOTFOUND orders.internal', 'INTERNAL_SERVER_ERROR'],
  ['PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND'],
  ['503: Service Unavailable: upstream host not found', 'INTERNAL_SERVER_ERROR'],
  ['Subgraph schema not found, router is reloading', 'SERVICE_UNAVAILABLE'],
  ['403: Forbidden', 'INTERNAL_SERVER_ERROR'],
].map(([message, code]) => ({ data: null, errors: [{ message, extensions: { code } }] }));

const dateFormat = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}\.\d{3}Z)?$/;
const maxWarnings = 50;

const orderFaults = ({
  mapping,
  sameBytes,
  sameDigits,
  posted,
}: Extract<Outcome, { readonly mapping: Mapping }>): readonly string[] => {
  const faults = [
    ...(sameBytes ? [] : ['the bytes differ from the response']),
    ...(sameDigits ? [] : ['the digits of the order number differ from the response']),
  ];
  if (mapping.kind !== 'mapped') return faults;
  const { order, warnings } = mapping;
  const reparsed: unknown = JSON.parse(posted);
  const numbers = [order.price, order.purchasePrice, order.loanAmount].filter((value) => value !== undefined);
  const people = [...(order.borrowers ?? []), ...(order.sellers ?? [])];
  const dates = [order.dueDate, order.projectedCloseDate].filter((value) => value !== undefined);
  return [
    ...faults,
    ...(JSON.stringify(reparsed) === posted ? [] : ['the posted body differs from the mapped order']),
    ...(numbers.every(Number.isFinite) ? [] : ['a number is not finite']),
    ...(people.every((person) => Object.keys(person).length > 0) ? [] : ['a person has no name']),
    ...(dates.every((date) => dateFormat.test(date)) ? [] : ['a date is invalid']),
    ...(warnings.length <= maxWarnings ? [] : [`${warnings.length} warnings are too many for the order's item`]),
  ];
};

const validResponse = { status: 200, headers: {}, body: Buffer.from(qualiaResponse(validOrder)), truncated: false };
const ofOrder = (order: object): Input => ({
  ...validResponse,
  call: 'fetchOrder',
  body: Buffer.from(qualiaResponse(order)),
});

/** A response with an order whose fields are given as JSON text. */
const ofFields = (fields: string): Input => ({
  ...ofOrder(validOrder),
  body: Buffer.from(`{"data":{"order":{"order":{"_id":"bK8bg5tajNkDpDk25","order_number":"1",${fields}}}}}`),
});

/** Qualia's responses, from the socket to the body for the internal API. */
export const qualia: FuzzTarget<Input, Outcome> = {
  name: 'qualia',
  corpus: {
    'a valid order': ofOrder(validOrder),
    'a valid order that is truncated': { ...ofOrder(validOrder), truncated: true },
    ...Object.fromEntries(codings.map((coding) => [`a valid order in ${coding}`, { ...ofOrder(validOrder), coding }])),
    'a gzip bomb of 10 MiB': { ...ofOrder(validOrder), body: { large: 'a text of 10 MiB' }, coding: 'gzip' },
    'another order': ofOrder({ ...validOrder, _id: 'another' }),
    ...Object.fromEntries(
      invalidRetryAfters.map((wait) => [
        `an error with the Retry-After "${wait}"`,
        { ...ofOrder(validOrder), status: 429, headers: { 'retry-after': wait } },
      ]),
    ),
    ...Object.fromEntries(
      temporaryErrors.map((response) => [
        `the temporary error "${response.errors[0]?.message}"`,
        { ...ofOrder(validOrder), body: Buffer.from(JSON.stringify(response)) },
      ]),
    ),
    'headers of 70 kB': { ...ofOrder(validOrder), headers: { 'x-large': 'x'.repeat(70_000) } },
    'an error with a Retry-After in the year 9999': {
      ...ofOrder(validOrder),
      status: 503,
      headers: { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' },
    },
    ...largeCorpus(responses[0], (body) => ({ ...ofOrder(validOrder), body }), 'the order'),
    ...largeCorpus(responses[4], (body) => ({ ...ofOrder(validOrder), body }), 'the errors'),
    ...largeCorpus(
      responses[6],
      (body) => ({ ...ofOrder(validOrder), call: 'listOpenOrders', body }),
      'the open orders',
    ),
    'a price of 20,000 digits': ofOrder({ ...validOrder, price: `${'1'.repeat(20_000)}x` }),
    'a date of 4 MB': ofOrder({ ...validOrder, due_date: `2026-01-01T00:00:00.${'0'.repeat(4_000_000)}x` }),
    'a state of 4 MB of spaces': ofOrder({ ...validOrder, properties: [{ state: `x${' '.repeat(4_000_000)}x` }] }),
    'numbers with many digits': ofFields(
      '"order_number":9007199254740993,"properties":[{"state":"MA","zipcode":2134,"address_1":123456789012345678901234}]',
    ),
    'numbers in unusual forms': ofFields('"order_number":12.50,"price":1e3,"loan_amount":-0,"due_date":1.770091506E9'),
    'dates without dashes': ofFields('"due_date":"20260105","projected_close_date":46027'),
    'dates out of range': ofFields('"due_date":99999999999,"projected_close_date":0'),
    'spellings of the District': ofFields(
      '"properties":[{"state":"Washington, DC"},{"state":"d. c"},{"state":"CA\u200b"},{"state":"\u200b"}]',
    ),
    'people without names': ofFields(
      '"borrowers":[{},{"full_name":null}],"sellers":[{"last_name":""}],"customer_contact":{"name":null}',
    ),
    'a price that is a list of fractions': ofFields(`"price":[${'0.50,'.repeat(100_000)}1]`),
    '20,000 properties without a state': ofOrder({ ...validOrder, properties: Array(20_000).fill({}) }),
  },
  arbitrary: fc.record({
    call: fc.constantFrom('fetchOrder', 'fetchOrder', 'fetchOrder', 'listOpenOrders'),
    status: fc.oneof(
      { weight: 12, arbitrary: fc.constant(200) },
      { weight: 1, arbitrary: fc.constantFrom(201, 206, 301, 400, 401, 403, 404, 409, 418, 425, 429, 500, 503, 599) },
    ),
    headers: fc.oneof(
      { weight: 8, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc.dictionary(
          fc.constantFrom('retry-after', 'content-type', 'content-encoding', 'location', 'set-cookie'),
          fc.constantFrom(...headerValues.filter(isHeaderValue)),
          { maxKeys: 2, noNullPrototype: true },
        ),
      },
    ),
    body: hostileBytes([...responses, ...temporaryErrors]),
    coding: anyCoding,
    truncated: anyTruncation,
  }),
  run: async ({ call, status, headers, body, coding, truncated }, pause) => {
    onWait = pause;
    opened ??= open();
    const { server, client, skipOpenCircuit } = await opened;
    const context = { deadlineMs: Number.POSITIVE_INFINITY, onRetry: () => undefined };
    const sent = toBuffer(body);
    try {
      server.respond({ status, headers, body: sent, coding, truncated });
      pause();
      if (call === 'listOpenOrders') {
        const listed = await client.listOpenOrders({ limit: 100, offset: 0, withStatus: true }, context);
        return { fingerprints: listed.map(({ fingerprint }) => fingerprint) };
      }
      return process((await client.fetchOrder(qualiaOrderId, context)).bytes, sent);
    } catch (thrown) {
      if (!(thrown instanceof PipelineError)) throw thrown;
      if (thrown.retryable) {
        pause();
        skipOpenCircuit();
        // A valid response closes the circuit for the next input.
        server.respond(validResponse);
        await client.fetchOrder(qualiaOrderId, context);
      }
      return { error: thrown };
    }
  },
  check: (outcome, { truncated }) => {
    if (truncated && !('error' in outcome)) return ['a truncated response was accepted'];
    if ('mapping' in outcome) return orderFaults(outcome);
    if ('fingerprints' in outcome)
      return outcome.fingerprints.every((one) => one === undefined || /^[\w-]{12}$/.test(one))
        ? []
        : ['a fingerprint is invalid'];
    const { code, message } = outcome.error;
    return [
      ...(errorCodes.includes(code) && code !== 'INTERNAL_FAULT' ? [] : [`it failed with ${code}: ${message}`]),
      ...leaksOf(message, [password]),
    ];
  },
  secretTexts: [password],
  close: async () => {
    const { server, client } = (await opened) ?? {};
    opened = undefined;
    await client?.close();
    await server?.stop();
  },
};
