import type { Authentication } from './webhook-call';

/** A call that must be refused. Default: a POST of JSON to the webhook. */
export interface BadCall {
  readonly name: string;
  /** Number of such calls per order, 0 to 1; at least one call in total. */
  readonly share: number;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body: string;
  readonly authentication: Authentication;
  readonly expectedStatus: number;
}

const share = 0.004;
const largestBodyBytes = 256 * 1024;

const notification = {
  order_id: 'QO-MUST-NOT-APPEAR',
  notification_type: 'order.created',
  timestamp: '2026-01-05T14:30:00Z',
};
const good = JSON.stringify(notification);
const activity = { type: 'message', order_id: 'MUSTnotAPPEAR2345', description: 'Maria Sample sent a message' };

/** A signature with a wrong secret. */
const forged = {
  'content-type': 'application/json',
  'webhook-id': 'msg_forged',
  'webhook-timestamp': '1767623400',
  'webhook-signature': 'v1,Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZvcmc=',
};

/** Calls that every public endpoint receives. */
export const badCalls: readonly BadCall[] = [
  { name: 'not JSON', share, body: '{"order_id": "QO-', authentication: 'basic', expectedStatus: 400 },
  { name: 'empty', share, body: '', authentication: 'signature', expectedStatus: 400 },
  { name: 'a list', share, body: `[${good}]`, authentication: 'basic', expectedStatus: 422 },
  {
    name: 'every field wrong',
    share,
    body: JSON.stringify({ order_id: '12345', notification_type: 'order.deleted', timestamp: '2026-02-30T10:00:00Z' }),
    authentication: 'basic',
    expectedStatus: 422,
  },
  {
    name: 'no time zone',
    share,
    body: JSON.stringify({ ...notification, timestamp: '2026-01-05T14:30:00' }),
    authentication: 'signature',
    expectedStatus: 422,
  },
  {
    name: 'unknown activity',
    share,
    body: JSON.stringify({ ...activity, type: 'order_exploded' }),
    authentication: 'basic',
    expectedStatus: 422,
  },
  {
    name: 'an id with a slash',
    share,
    body: JSON.stringify({ ...activity, order_id: '../secrets' }),
    authentication: 'basic',
    expectedStatus: 422,
  },
  { name: 'no credentials', share, body: good, authentication: 'none', expectedStatus: 401 },
  { name: 'wrong password', share, body: good, authentication: 'wrong', expectedStatus: 401 },
  { name: 'forged signature', share, headers: forged, body: good, authentication: 'none', expectedStatus: 401 },
  { name: 'wrong password and bad JSON', share, body: '{', authentication: 'wrong', expectedStatus: 401 },
  {
    name: 'not JSON by its content type',
    share,
    headers: { 'content-type': 'text/plain' },
    body: good,
    authentication: 'basic',
    expectedStatus: 415,
  },
  {
    name: 'too large',
    share: 0.001,
    body: JSON.stringify({ ...activity, padding: 'x'.repeat(largestBodyBytes) }),
    authentication: 'basic',
    expectedStatus: 413,
  },
  { name: 'wrong method', share, method: 'PUT', body: good, authentication: 'basic', expectedStatus: 405 },
  { name: 'wrong path', share, path: '/webhooks/quaila', body: good, authentication: 'basic', expectedStatus: 404 },
];
