import { Webhook } from 'standardwebhooks';
import type { WebhookCall } from './webhook-call';

/** The webhook's secret, as stored in Secrets Manager. */
export interface WebhookSecret {
  readonly basic: { readonly username: string; readonly password: string }[];
  readonly signing_secrets: string[];
}

/**
 * The headers of a call with its authentication. Uses the first credential of each kind in the secret.
 *
 * @param nowMs time of sending: a signature is valid for five minutes
 * @throws if the secret has no credential of the call's kind
 */
export const signedHeaders = (call: WebhookCall, secret: WebhookSecret, nowMs: number): Record<string, string> => {
  switch (call.authentication) {
    case 'none':
      return call.headers;
    case 'wrong':
      return { ...call.headers, authorization: basicAuthorization('qualia', 'not-the-password') };
    case 'basic': {
      const [login] = secret.basic;
      if (login === undefined) throw new Error('the webhook secret has no Basic credentials');
      return { ...call.headers, authorization: basicAuthorization(login.username, login.password) };
    }
    case 'signature': {
      const [key] = secret.signing_secrets;
      if (key === undefined) throw new Error('the webhook secret has no signing secret');
      const id = `msg_${Buffer.from(call.name).toString('base64url')}`;
      return {
        ...call.headers,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(nowMs / 1000)),
        'webhook-signature': new Webhook(key).sign(id, new Date(nowMs), call.body),
      };
    }
  }
};

const basicAuthorization = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
