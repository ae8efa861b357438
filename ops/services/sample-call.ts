import type { WebhookSample } from '../../samples/webhook-samples';
import { addOrderToSimulator } from './simulators';
import type { StageConnection } from './stage-connection';
import { openWebhook, type WebhookResponse } from './webhook';

/** A sample to send. */
export interface SampleCall {
  readonly sample: WebhookSample;
  readonly orderId: string;
  /** When the order was created. */
  readonly createdAt: Date;
  /** Whether to use a Standard Webhooks signature instead of the default credential. */
  readonly signed: boolean;
  /** Whether Qualia knows the order. Otherwise Qualia's simulator gets it first. */
  readonly isKnown: boolean;
}

/** The webhook's response to a sample. */
export interface SampleResponse extends WebhookResponse {
  readonly method: string;
  readonly path: string;
  readonly authentication: string;
  /** Whether the order exists: Qualia knows it, its simulator got it, or the sample has none. */
  readonly hasOrder: boolean;
}

/**
 * Posts a sample to the webhook of a stage.
 *
 * @throws {ServiceFault} `unreachable`
 */
export const sendSampleCall = async (
  stage: StageConnection,
  { sample, orderId, createdAt, signed, isKnown }: SampleCall,
  now: () => number,
): Promise<SampleResponse> => {
  const webhook = await openWebhook(stage, now);
  const call = sample.callOf(orderId, createdAt);
  const isTrusted = call.authentication === 'basic' || call.authentication === 'signature';
  const authentication = isTrusted ? (signed ? 'signature' : webhook.credential) : call.authentication;
  const hasOrder = !sample.orderOf || isKnown || (await addOrderToSimulator(stage, sample.orderOf(orderId)));
  const { method, path } = call;
  return { ...(await webhook.post({ ...call, authentication })), method, path, authentication, hasOrder };
};
