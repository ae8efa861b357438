/** AWS Signature Version 4, in the `Authorization` header. */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import type { Credentials } from '../environment-credentials';

const algorithm = 'AWS4-HMAC-SHA256';
const hopByHop = ['connection', 'expect', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'];
/** Headers that a proxy may change on the way. The SDK does not sign them either. */
const unsigned = new Set([
  ...['authorization', 'cache-control', 'from', 'max-forwards', 'pragma', 'referer', 'user-agent', 'x-amzn-trace-id'],
  ...hopByHop,
]);

/** What a signature covers. */
export interface SignableRequest {
  readonly method: string;
  /** Percent-encoded once, as it is sent. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Names in lower case. `host` is among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface SigningScope {
  /** The name under which the service signs, such as `dynamodb`. */
  readonly service: string;
  readonly region: string;
  readonly credentials: Credentials;
  /** The value of `x-amz-date`. */
  readonly at: string;
}

/** Percent-encodes everything but RFC 3986's unreserved characters. */
export const encodeUri = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** A query string without its `?`, sorted as a signature requires. It is also the one to send. */
export const encodeQuery = (query: SignableRequest['query']): string => {
  if (query.length === 0) return '';
  const pairs = query.map(([name, value]) => [encodeUri(name), encodeUri(value)] as const);
  const inOrder = ([a, x]: readonly [string, string], [b, y]: readonly [string, string]) => (a === b ? x < y : a < b);
  return pairs
    .sort((left, right) => (inOrder(left, right) ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
};

/** S3 signs the path as it is sent. The others remove its dots and repeated slashes, and encode it a second time. */
const canonicalPath = (path: string, service: string): string => {
  if (service === 's3' || path === '/') return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(encodeUri(segment));
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`;
};

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Node takes 40 µs for an HMAC with the bytes of a key, and 5 µs with a key object. */
let keys = new Map<string, KeyObject>();
const maxKeys = 50;

/** The key of a day, a region and a service. Credentials change every few hours: older keys are dropped. */
const signingKey = (date: string, { service, region, credentials: { secretAccessKey } }: SigningScope): KeyObject => {
  const id = [date, region, service, secretAccessKey].join('/');
  const known = keys.get(id);
  if (known !== undefined) return known;
  const bytes = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const key = createSecretKey(Buffer.from(bytes));
  if (keys.size >= maxKeys) keys = new Map();
  keys.set(id, key);
  return key;
};

/** SHA-256 of a request's body, as the header `x-amz-content-sha256` contains it. */
export const hashBody = (body: string | Uint8Array): string => hash('sha256', body, 'hex');

/** `20150830T123600Z` */
export const amzDate = (atMs: number): string => new Date(atMs).toISOString().replace(/[:-]|\.\d{3}/g, '');

/** The canonical request: what the signature covers, as text. */
export const canonicalRequest = (request: SignableRequest, service: string, names: readonly string[]): string =>
  [
    request.method,
    canonicalPath(request.path, service),
    encodeQuery(request.query),
    ...names.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}`),
    '',
    names.join(';'),
    request.headers['x-amz-content-sha256'] ?? hashBody(request.body),
  ].join('\n');

/** @returns the `Authorization` header of a request that has its `host` and `x-amz-date` already */
export const authorizationOf = (request: SignableRequest, scope: SigningScope): string => {
  const names = Object.keys(request.headers)
    .filter((name) => !unsigned.has(name))
    .sort();
  const { at } = scope;
  const date = at.slice(0, 8);
  const credentialScope = `${date}/${scope.region}/${scope.service}/aws4_request`;
  const hashed = hash('sha256', canonicalRequest(request, scope.service, names), 'hex');
  const text = [algorithm, at, credentialScope, hashed].join('\n');
  const signature = createHmac('sha256', signingKey(date, scope)).update(text).digest('hex');
  const credential = `${scope.credentials.accessKeyId}/${credentialScope}`;
  return `${algorithm} Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
};
