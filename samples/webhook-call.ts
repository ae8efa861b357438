/** How a call authenticates; `wrong` is a wrong Basic password. */
export type Authentication = 'basic' | 'signature' | 'none' | 'wrong';

/** A call of the webhook, as data. The code that posts it adds the authentication, see `signedHeaders`. */
export interface WebhookCall {
  /** Unique among the calls that are sent together. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly authentication: Authentication;
}
