import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { toEvent, toPayload } from '../../../../emulator/http-api/event';

const eventOf = (body: Buffer, rawHeaders: readonly string[] = [], url = '/') =>
  toEvent(Object.assign(new IncomingMessage(new Socket()), { method: 'POST', url, rawHeaders }), body, {
    apiId: 'api',
    routeKey: '$default',
    pathParameters: undefined,
  });

const json = ['Content-Type', 'application/json'];
const mebibyte = 1024 * 1024;

test('headers and parameters can have the names of inherited properties', () => {
  const event = eventOf(Buffer.alloc(0), ['constructor', 'a', 'Constructor', 'b'], '/?toString=1&__proto__=2');
  expect(event.headers.constructor).toBe('a,b');
  expect(Object.entries(event.queryStringParameters ?? {})).toEqual([
    ['toString', '1'],
    ['__proto__', '2'],
  ]);
});

test.each([
  ['text of 5 MiB', Buffer.alloc(5 * mebibyte, 'a'), json, true],
  ['text of 6 MiB', Buffer.alloc(6 * mebibyte, 'a'), json, false],
  ['text that is longer as JSON', Buffer.alloc(4 * mebibyte, '"'), json, false],
  ['bytes of 4 MiB', Buffer.alloc(4 * mebibyte), [], true],
  ['bytes of 5 MiB, which base64 makes longer', Buffer.alloc(5 * mebibyte), [], false],
])('the limit of 6 MiB applies to the whole event: %s', (_what, body, headers, accepted) => {
  expect(toPayload(eventOf(body, headers)) !== undefined).toBe(accepted);
});
