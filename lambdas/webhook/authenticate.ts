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

/** At least 16 bytes, padded: what the signature's library cannot decode must not pass as a secret. */
const signingSecret = /^whsec_(?=.{22})(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Everything a sender may sign in with: several at once, so that one is rotated without losing a call. */
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

/** Whoever calls us can be refused as often as they like: that must not spend our calls to Secrets Manager. */
export const webhookRefreshIntervalMs = 10_000;

export type RequestHeaders = Readonly<Record<string, string | undefined>>;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const hasBasicCredential = (authorization: string | undefined, { basic }: WebhookSecret): boolean => {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return false;
  const [, username = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  const given = { username: digest(username), password: digest(password) };
  // Every credential is compared in full, whatever came before: the time taken says nothing.
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
  // What is signed is UTF-8 text; decoding other bytes first would check something else than what was received.
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
 * Tells whether a sender is known: by HTTP Basic, or by a Standard Webhooks 1.0.0 signature over the raw bytes, under the
 * names `webhook-…` or `svix-…`.
 * A refusal fetches the secret again, which may have been rotated, before it stands.
 *
 * @throws {PipelineError} `SECRET_UNREADABLE` when there is nothing to check against: nobody is let in
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
