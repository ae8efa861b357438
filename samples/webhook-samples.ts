import { type BadCall, badCalls } from './bad-calls';
import states from './jurisdictions.json';
import { type QualiaOrder, sampleOrder } from './orders';
import type { WebhookCall } from './webhook-call';

/** A webhook to send by hand. */
export interface WebhookSample {
  readonly name: string;
  readonly description: string;
  /** The status of the webhook's response. */
  readonly expectedStatus: number;
  /** @param id the order that the webhook is about */
  readonly callOf: (id: string, sentAt: Date) => WebhookCall;
  /** The order that Qualia must know; undefined for a call that the webhook refuses. */
  readonly orderOf?: (id: string) => QualiaOrder;
}

const jurisdictionCount = Object.keys(states).length;
const common = { method: 'POST', path: '/webhooks/qualia' };
const json = { 'content-type': 'application/json' };

const isIn = (order: QualiaOrder, code: string): boolean => {
  const [first] = Array.isArray(order.properties) ? order.properties : [];
  const { state, flat_address } = { state: null, flat_address: '', ...first };
  return typeof state === 'string' && state !== '' && new RegExp(`, ${code} \\d{5}$`).test(String(flat_address));
};

/** The first sample order whose first property is in a jurisdiction, under another id. */
const orderIn = (code: string, id: string): QualiaOrder => {
  const position = Object.keys(states).indexOf(code);
  for (let index = position; ; index += jurisdictionCount) {
    const order = sampleOrder(index);
    if (isIn(order, code)) return { ...order, _id: id, order_number: `MKT-${id.replace(/^QO-/, '')}` };
  }
};

const ofJurisdiction = ([code, state]: readonly [string, string]): WebhookSample => ({
  name: code,
  description: `an order in ${state}`,
  expectedStatus: 200,
  orderOf: (id) => orderIn(code, id),
  callOf: (order_id, sentAt) => ({
    ...common,
    name: code,
    headers: json,
    body: JSON.stringify({ order_id, notification_type: 'order.created', timestamp: sentAt.toISOString() }),
    authentication: 'basic',
  }),
});

const activity: WebhookSample = {
  name: 'activity',
  description: 'an activity of Qualia Marketplace, about an order in Texas',
  expectedStatus: 200,
  orderOf: (id) => orderIn('TX', id),
  callOf: (order_id) => ({
    ...common,
    name: 'activity',
    headers: json,
    body: JSON.stringify({ type: 'order_request', order_id, description: 'Maria Sample requested an order' }),
    authentication: 'basic',
  }),
};

const ofBadCall = (call: BadCall): WebhookSample => {
  const { name, expectedStatus, share: _share, ...sent } = call;
  const slug = name.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return {
    name: slug,
    description: `refused: ${name}`,
    expectedStatus,
    callOf: () => ({ ...common, name: slug, headers: json, ...sent }),
  };
};

/** An order of each jurisdiction, an activity, and each call that the webhook refuses. */
export const webhookSamples: readonly WebhookSample[] = [
  ...Object.entries(states).map(ofJurisdiction),
  activity,
  ...badCalls.map(ofBadCall),
];
