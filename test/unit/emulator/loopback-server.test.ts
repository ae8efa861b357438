import fc from 'fast-check';
import { reasonToRefuse, respond, serveOnLoopback } from '../../../emulator/loopback-server';

const port = fc.option(fc.nat(65_535), { nil: undefined }).map((value) => (value === undefined ? '' : `:${value}`));
const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => Array.from(text, (letter, index) => (upper[index] ? letter.toUpperCase() : letter)).join(''));

test('property: a loopback name is accepted, in any case and with any port', () => {
  const names = fc.constantFrom('127.0.0.1', 'localhost', '[::1]', 'bucket.localhost', 'my.bucket-2.localhost');
  fc.assert(
    fc.property(names.chain(anyCase), port, (name, suffix) => {
      expect(reasonToRefuse({ host: `${name}${suffix}` })).toBeUndefined();
    }),
  );
});

test('property: a name that can be registered is rejected, even if it contains a loopback name', () => {
  const loopback = fc.constantFrom('127.0.0.1', 'localhost', '[::1]', '');
  const joint = fc.constantFrom('.', '-', '@', ':80@', '#', '/', '%00', ' ');
  fc.assert(
    fc.property(loopback, joint, fc.domain(), port, (name, between, domain, suffix) => {
      expect(reasonToRefuse({ host: `${name}${between}${domain}${suffix}` })).toMatch(/Host header/);
    }),
  );
});

test('any origin and any cross-site request are rejected', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), fc.constantFrom('null', '', 'http://127.0.0.1:4000')), (origin) => {
      expect(reasonToRefuse({ host: '127.0.0.1', origin })).toMatch(/Web pages/);
    }),
  );
  expect(reasonToRefuse({ host: '127.0.0.1', 'sec-fetch-site': 'cross-site' })).toMatch(/Web pages/);
  // An address entered in a browser.
  expect(reasonToRefuse({ host: '127.0.0.1', 'sec-fetch-site': 'none' })).toBeUndefined();
});

test('a response has a length in bytes and is not sent in chunks', async () => {
  const server = await serveOnLoopback(async (_request, response) => respond(response, 201, { 'x-own': 'a' }, 'ä'));
  const response = await fetch(server.url);
  expect({ status: response.status, ...Object.fromEntries(response.headers) }).toMatchObject({
    status: 201,
    'x-own': 'a',
    'content-length': '2',
  });
  expect([response.headers.has('transfer-encoding'), await response.text()]).toEqual([false, 'ä']);
  await server.stop();
});
