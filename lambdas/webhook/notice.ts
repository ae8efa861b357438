import * as z from 'zod/mini';
import { type OrderId, orderIdSchema } from '../../shared/orders/order';
import { describeIssues } from '../../shared/schema';
import { type Instant, parseInstant } from '../../shared/time';

const notificationTypes = ['order.created', 'order.updated'] as const;
const activityTypes = [
  'order_request',
  'order_cancelled',
  'order_completed',
  'order_revision_requested',
  'message',
  'documents',
] as const;

const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, `must be one of ${values.map((value) => `"${value}"`).join(', ')}`);

const timestampMessage = 'must be an ISO 8601 time with an offset or "Z"';

/** The format of the previous system. It contains the time of the event. */
export const notificationSchema = z.object(
  {
    order_id: z
      .string('must be a string')
      .check(
        z.startsWith('QO-', 'must start with "QO-"'),
        z.maxLength(128, 'must be at most 128 characters'),
        z.regex(/^(?:QO-)?[A-Za-z0-9_-]+$/, 'must hold only letters, digits, "-" and "_" after the prefix'),
        z.minLength(4, 'needs more than the prefix'),
      )
      .brand<'OrderId'>(),
    notification_type: oneOf(notificationTypes),
    timestamp: z.string(timestampMessage).check(z.refine((text) => parseInstant(text) !== undefined, timestampMessage)),
  },
  'must be a JSON object',
);

/** The format of Qualia Marketplace. The description can contain names: it is validated, and then dropped. */
export const activitySchema = z.object({
  type: oneOf(activityTypes),
  order_id: orderIdSchema,
  description: z.string('must be a string').check(z.maxLength(4_096, 'must be at most 4096 characters')),
  message_id: z.nullish(z.string('must be a string')),
});

/** The content of a webhook, in either format. */
export interface Notice {
  readonly orderId: OrderId;
  readonly notificationType: (typeof notificationTypes)[number] | (typeof activityTypes)[number];
  /** When the event happened. Only a notification contains it. */
  readonly occurredAt: Instant | undefined;
}

export type Fault = ReturnType<typeof describeIssues>[number];

const isActivity = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'type' in body && !('notification_type' in body);

/** Reads a webhook's body (docs/contracts/qualia.md, section 1), and reports all faults together. */
export const readNotice = (body: unknown): { readonly notice: Notice } | { readonly faults: readonly Fault[] } => {
  if (isActivity(body)) {
    const parsed = activitySchema.safeParse(body);
    if (!parsed.success) return { faults: describeIssues(parsed.error.issues) };
    const { order_id, type } = parsed.data;
    return { notice: { orderId: order_id, notificationType: type, occurredAt: undefined } };
  }
  const parsed = notificationSchema.safeParse(body);
  if (!parsed.success) return { faults: describeIssues(parsed.error.issues) };
  const { order_id, notification_type, timestamp } = parsed.data;
  return {
    notice: {
      orderId: order_id as string as OrderId,
      notificationType: notification_type,
      occurredAt: parseInstant(timestamp),
    },
  };
};
