import { amzDate, authorizationOf, canonicalRequest, encodeQuery } from '../../../../../lib/bundling/aws/sign';
import { credentials, region, service, vectors } from '../../../../vectors/signature-v4.json';

const at = '20150830T123600Z';

/** A vector's request, as our client would sign it. */
const requestOf = ({ method, target, headers, body }: (typeof vectors)[number]) => {
  const [path = '', queryText = ''] = target.split('?');
  const query = queryText === '' ? [] : queryText.split('&').map((pair) => pair.split('=').map(decodeURIComponent));
  const joined: Record<string, string> = {};
  for (const [name = '', value = ''] of headers) {
    const lower = name.toLowerCase();
    joined[lower] = lower in joined ? `${joined[lower]},${value}` : value;
  }
  return { method, path, query: query.map(([name = '', value = '']) => [name, value] as const), headers: joined, body };
};

describe("AWS's published test vectors of Signature Version 4", () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const request = requestOf(vector);
    const names = Object.keys(request.headers).sort();
    expect(canonicalRequest(request, service, names)).toBe(vector.canonicalRequest);
    expect(authorizationOf(request, { service, region, credentials, at })).toBe(vector.authorization);
  });
});

test('the time of a request has seconds', () => {
  expect(amzDate(Date.parse('2015-08-30T12:36:00.987Z'))).toBe(at);
});

test('S3 signs its path as it is sent', () => {
  const request = { method: 'GET', path: '/raw//a%20b/../c', query: [], headers: { host: 'h' }, body: '' };
  expect(canonicalRequest(request, 's3', ['host'])).toContain('GET\n/raw//a%20b/../c\n');
});

test('the signature does not cover headers that a proxy changes', () => {
  const headers = { host: 'h', 'user-agent': 'a', 'x-amzn-trace-id': 'Root=1', connection: 'keep-alive', expect: 'x' };
  const request = { method: 'GET', path: '/', query: [], headers, body: '' };
  expect(authorizationOf(request, { service, region, credentials, at })).toContain('SignedHeaders=host,');
});

test('a query is sorted by name, then by value, and encoded', () => {
  const query = [
    ['b', '2'],
    ['a', 'x y+z/='],
    ['b', '10'],
    ['uploads', ''],
  ] as const;
  expect(encodeQuery(query)).toBe('a=x%20y%2Bz%2F%3D&b=10&b=2&uploads=');
});

test('a new day, another region and new credentials have their own key', () => {
  const request = { method: 'GET', path: '/', query: [], headers: { host: 'h' }, body: '' };
  const scope = { service, region, credentials, at };
  const signatures = [
    scope,
    { ...scope, at: '20150831T123600Z' },
    { ...scope, region: 'eu-west-1' },
    { ...scope, credentials: { ...credentials, secretAccessKey: 'another' } },
  ].map((each) => authorizationOf(request, each).replace(/^.*Signature=/, ''));
  expect(new Set(signatures).size).toBe(4);
});
