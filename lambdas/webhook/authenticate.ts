import { isUtf8 } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import * as z from 'zod/mini';
import type { Secret } from '../../shared/aws/secret';
import { required, secretText } from '../../shared/config';

const credential = z.object({
  username: required,
  password: secretText,
});

/** At least 16 bytes, padded: a secret that the signature's library cannot decode must not pass. */
const signingSecret = /^whsec_(?=.{22})(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** All accepted credentials. There can be several of each kind, so that a rotation loses no call. */
export const webhookSecretSchema = z
  .object({
    basic: z._default(z.array(credential, 'is not a list'), []),
    signing_secrets: z._default(
      z.array(z.string('is not a string').check(z.regex(signingSecret, 'is not "whsec_" and base64')), 'is not a list'),
      [],
    ),
  })
  .check(
    z.refine(({ basic, signing_secrets }) => basic.length + signing_secrets.length > 0, 'holds no credential at all'),
  );
export type WebhookSecret = z.output<typeof webhookSecretSchema>;

/** Untrusted callers can cause any number of refusals. This limits the calls to Secrets Manager that they cause. */
export const webhookRefreshIntervalMs = 10_000;

export type RequestHeaders = Readonly<Record<string, string | undefined>>;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const hasBasicCredential = (authorization: string | undefined, { basic }: WebhookSecret): boolean => {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return false;
  const [, username = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  const given = { username: digest(username), password: digest(password) };
  // Always compare every credential in full, so that the response time reveals nothing.
  const matches = basic.map((known) => [
    timingSafeEqual(given.username, digest(known.username)),
    timingSafeEqual(given.password, digest(known.password)),
  ]);
  return matches.some((match) => match.every(Boolean));
};

/** A header lists signatures with spaces in between. API Gateway joins two such headers with a comma. */
const separateBySpaces = (signatures: string): string => signatures.replace(/,\s*(?=v\d+[a-z]*,)/g, ' ');

/** `svix` is the older name of the same headers, which many gateways send. */
const hasSignature = (
  prefix: 'webhook' | 'svix',
  headers: RequestHeaders,
  body: Buffer,
  { signing_secrets }: WebhookSecret,
): boolean => {
  const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) => headers[`${prefix}-${name}`]);
  // The signature covers UTF-8 text. Decoding other bytes would verify something other than the received body.
  if (id === undefined || timestamp === undefined || signature === undefined || !isUtf8(body)) return false;
  const signed = {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': separateBySpaces(signature),
  };
  const matches = signing_secrets.map((secret) => {
    try {
      new Webhook(secret).verify(body, signed, { jsonParse: false });
      return true;
    } catch (error) {
      if (error instanceof WebhookVerificationError) return false;
      throw error;
    }
  });
  return matches.some(Boolean);
};

/**
 * Authenticates a sender: by HTTP Basic, or by a Standard Webhooks 1.0.0 signature over the raw bytes, with headers named
 * `webhook-…` or `svix-…`. Before it refuses a call, it fetches the secret again, which may have been rotated.
 *
 * @throws {PipelineError} `SECRET_UNREADABLE` if there is no secret to check against: every call is refused
 */
export const createAuthenticator = (secret: Secret<WebhookSecret>) => {
  const isKnown = (headers: RequestHeaders, body: Buffer, credentials: WebhookSecret): boolean => {
    const basic = hasBasicCredential(headers.authorization, credentials);
    const signed = hasSignature('webhook', headers, body, credentials);
    const signedAsSvix = hasSignature('svix', headers, body, credentials);
    return basic || signed || signedAsSvix;
  };
  return async (headers: RequestHeaders, body: Buffer): Promise<boolean> =>
    isKnown(headers, body, await secret.get()) || isKnown(headers, body, await secret.refresh());
};

export type Authenticate = ReturnType<typeof createAuthenticator>;
