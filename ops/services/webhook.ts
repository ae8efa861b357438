import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { signedHeaders } from '../../samples/authentication';
import type { WebhookCall } from '../../samples/webhook-call';
import { parseJson } from '../../shared/json';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';

/** How a call that must be accepted is authenticated. */
export type Credential = 'basic' | 'signature';

/** The webhook's response. */
export interface WebhookResponse {
  readonly status: number;
  /** Parsed; undefined if it is not JSON. */
  readonly body: unknown;
}

const secretSchema = z.object({
  basic: z.array(z.object({ username: z.string(), password: z.string() })).default([]),
  signing_secrets: z.array(z.string()).default([]),
});

const timeoutMs = 30_000;

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? String('code' in cause ? cause.code : cause.name) : 'unknown error';
};

/**
 * Opens the webhook of a stage, with the credentials that it accepts.
 *
 * @throws {ServiceFault} `unreachable` if the stage has no webhook of this version, or its secret cannot be used
 */
export const openWebhook = async (stage: StageConnection, now: () => number) => {
  const { webhook } = stage;
  if (webhook === undefined) {
    throw new ServiceFault(
      'unreachable',
      'The stage does not have the webhook of this version: deploy the stage first.',
    );
  }
  const { SecretString = '' } = await stage.secretsManager.send(
    new GetSecretValueCommand({ SecretId: webhook.secretArn }),
  );
  const secret = secretSchema.safeParse(parseJson(SecretString)).data;
  if (secret === undefined) throw new ServiceFault('unreachable', "The webhook's secret has not been filled.");
  const has: Readonly<Record<Credential, boolean>> = {
    basic: secret.basic.length > 0,
    signature: secret.signing_secrets.length > 0,
  };

  /** @throws {ServiceFault} `unreachable` if there is no response, or no credential of the call's kind */
  const post = async (call: WebhookCall): Promise<WebhookResponse> => {
    const { method, path, body, authentication } = call;
    stage.changes.check(`${method} ${path}`);
    if ((authentication === 'basic' || authentication === 'signature') && !has[authentication]) {
      throw new ServiceFault('unreachable', `The webhook's secret has no credential for ${authentication}.`);
    }
    const headers = signedHeaders(call, secret, now());
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${webhook.apiUrl}${path}`, { method, headers, body, signal });
      return { status: response.status, body: parseJson(await response.text()) };
    } catch (error) {
      throw new ServiceFault(
        'unreachable',
        `The webhook at ${webhook.apiUrl} does not respond (${codeOf(error)}).`,
        error,
      );
    }
  };

  return {
    post,
    /** The kind of credential that the stage has; Basic if it has both. */
    credential: (has.basic ? 'basic' : 'signature') satisfies Credential as Credential,
  };
};
