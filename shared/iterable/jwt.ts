import { createHmac } from 'node:crypto';

const encode = (text: string): string => Buffer.from(text).toString('base64url');

const header = encode('{"alg":"HS256","typ":"JWT"}');

/** A JSON Web Token, signed with HMAC-SHA-256 (RFC 7519). `secret` is used as UTF-8 text. */
export const signJwt = (claims: Readonly<Record<string, string | number>>, secret: string): string => {
  const signed = `${header}.${encode(JSON.stringify(claims))}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};
