import { toHttpResponse } from '../../../../emulator/http-api/response';

const json = 'application/json';
const text = 'text/plain;charset=UTF-8';

test.each<[string, unknown, number, string, string]>([
  ['an object', { a: 1 }, 200, json, '{"a":1}'],
  ['a string', 'hello', 200, json, 'hello'],
  ['null', null, 200, json, 'null'],
  ['a response', { statusCode: 201, body: 'made' }, 201, text, 'made'],
  ['a response without a body', { statusCode: '204' }, 204, text, ''],
  ['headers', { statusCode: 200, headers: { 'Content-Type': 'text/html' }, body: '<p>' }, 200, 'text/html', '<p>'],
  ['base64', { statusCode: 200, body: 'aGk=', isBase64Encoded: true }, 200, text, 'hi'],
  ['no status', { statusCode: 'soon' }, 500, json, '{"message":"Internal Server Error"}'],
  ['a body that is not text', { statusCode: 200, body: { a: 1 } }, 500, json, '{"message":"Internal Server Error"}'],
])('the result of a function becomes a response: %s', (_what, result, status, contentType, body) => {
  const response = toHttpResponse({ payload: JSON.stringify(result) });
  expect([response.statusCode, response.headers['content-type'], response.body.toString()]).toEqual([
    status,
    contentType,
    body,
  ]);
});

test('each cookie becomes a separate header', () => {
  const payload = JSON.stringify({ statusCode: 200, cookies: ['a=1', 'b=2'] });
  expect(toHttpResponse({ payload }).headers['set-cookie']).toEqual(['a=1', 'b=2']);
});

test('a failed invocation becomes a 500', () => {
  expect(toHttpResponse({ payload: '{}', functionError: 'Unhandled' }).statusCode).toBe(500);
});
