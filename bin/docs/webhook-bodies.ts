import * as z from 'zod';
import { activitySchema, notificationSchema } from '../../lambdas/webhook/notice';
import type { Refusal } from '../../lambdas/webhook/responses';
import type { RoundOutcome } from '../../shared/orders/start-round';
import { type JsonSchema, toJsonSchema, withProperties } from './json-schema';

const requestId = z
  .string()
  .describe('Id of this request. It is also in the header `x-request-id` and in the log lines of the order.');

const refusal = (reason: Refusal['reason']) =>
  z.object({ error: z.literal(reason), message: z.string().optional(), request_id: requestId });

const outcomes = ['queued', 'duplicate', 'stale'] as const satisfies readonly RoundOutcome[];

const responseBodies = {
  Accepted: z.object({
    message: z.string(),
    order_id: z.string(),
    request_id: requestId,
    status: z
      .enum(outcomes)
      .describe(
        '`queued`: the order will be downloaded and processed. `duplicate`: the same notification again. ' +
          '`stale`: the order was downloaded after this event, so there is nothing to do.',
      ),
    response_time_ms: z.number().describe('Milliseconds that the webhook worked on this request.'),
  }),
  Health: z.object({
    status: z.literal('ok'),
    service: z.string(),
    version: z.string().describe('Version of the package.'),
    commit: z.string().describe('The commit that is deployed.'),
    stage: z.string(),
  }),
  InvalidJson: refusal('invalid_json'),
  Unauthorized: refusal('unauthorized'),
  NotFound: refusal('not_found'),
  MethodNotAllowed: refusal('method_not_allowed'),
  PayloadTooLarge: refusal('payload_too_large'),
  UnsupportedMediaType: refusal('unsupported_media_type'),
  ValidationFailed: refusal('validation_failed').extend({
    details: z
      .array(z.object({ path: z.string().describe('The field; empty for the whole body.'), message: z.string() }))
      .describe('Every fault of the body.'),
  }),
  InternalError: z.object({ error: z.literal('internal_error'), request_id: requestId }),
  GatewayError: z
    .object({ message: z.string() })
    .describe('Written by API Gateway when the webhook does not respond or is not called. Without `x-request-id`.'),
};

export type BodyName = keyof typeof responseBodies;

const notification: JsonSchema = {
  description: 'The format of the previous system. It carries the time of its event.',
  ...withProperties(toJsonSchema(notificationSchema), {
    order_id: { examples: ['QO-123456'] },
    timestamp: {
      description:
        'Time of the event: ISO 8601 with `Z` or an offset (`+00:00`, `+0000`, `+00`), any number of fraction digits. ' +
        'It must exist in the calendar.',
      examples: ['2026-01-01T12:00:00.000Z', '2026-01-01T07:00:00.123456-05:00'],
    },
  }),
};

const activity: JsonSchema = {
  description: 'What Qualia Marketplace sends for the event "Activity Created". Each one starts a new round.',
  ...withProperties(toJsonSchema(activitySchema), {
    order_id: { examples: ['bK8bg5tajNkDpDk25'] },
    description: { description: 'Free text. Never stored and never logged.' },
    message_id: { description: 'Sent with the type `message`.' },
  }),
  // A body with a notification type is read as a notification.
  not: { required: ['notification_type'] },
};

/** The schemas of all bodies, by name. Unknown fields of a request are ignored. */
export const bodySchemas: Readonly<Record<BodyName | 'Notification' | 'Activity', JsonSchema>> = {
  Notification: notification,
  Activity: activity,
  ...(Object.fromEntries(
    Object.entries(responseBodies).map(([name, schema]) => [name, toJsonSchema(schema)]),
  ) as Record<BodyName, JsonSchema>),
};
