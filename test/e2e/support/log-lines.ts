import * as z from 'zod';
import type { Refusal } from '../../../lambdas/webhook/responses';
import { errorCodes } from '../../../shared/errors';
import { parseJson } from '../../../shared/json';
import { statusSchema } from '../../../shared/orders/order';

const text = z.string().min(1);
const count = z.number().min(0);
const errorCode = z.enum(errorCodes);

/** The fields of every line (docs/contracts/logs.md). */
const everyLine = z.looseObject({
  timestamp: z.iso.datetime(),
  level: z.enum(['INFO', 'WARN', 'ERROR']),
  message: text,
  service: text,
  function_name: text,
  function_request_id: text,
  cold_start: z.boolean(),
  xray_trace_id: text,
  stage: text,
  version: text,
  error_code: errorCode.optional(),
});

const info = z.literal('INFO');
const warn = z.literal('WARN');
const ofOrder = { order_id: text, request_id: text };
const asError = { error: text, error_code: errorCode };

/** The additional fields of each event. */
const events: Readonly<Record<string, z.ZodType>> = {
  'webhook accepted': z
    .object({ ...ofOrder, level: info, notification_type: text, response_time_ms: count })
    .and(
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('queued'), status: z.literal('NOTIFIED') }),
        z.object({ outcome: z.enum(['duplicate', 'stale']), status: statusSchema }),
      ]),
    ),
  'webhook refused': z.object({
    level: warn,
    request_id: text,
    reason: z.enum([
      'not_found',
      'method_not_allowed',
      'payload_too_large',
      'unauthorized',
      'unsupported_media_type',
      'invalid_json',
      'validation_failed',
    ] satisfies Refusal['reason'][]),
    source_ip: text,
    details: z.array(z.unknown()).optional(),
  }),
  'order downloaded': z.object({
    ...ofOrder,
    level: info,
    status: z.literal('DOWNLOADED'),
    s3_key: text,
    checksum: text,
    payload_size: count,
    response_time_ms: count,
    attempt: count,
  }),
  'order processed': z.object({
    ...ofOrder,
    level: info,
    status: z.literal('PROCESSED'),
    outcome: z.enum(['posted', 'unchanged', 'already_known']),
    status_code: z.number().optional(),
    response_time_ms: count.optional(),
    warnings: z.array(z.object({ code: text, field: text })).optional(),
  }),
  'order failed for good': z.object({
    ...ofOrder,
    ...asError,
    level: z.literal('ERROR'),
    status: z.literal('FAILED'),
    stage_failed: z.enum(['download', 'processing']),
  }),
  'a try failed, will retry': z.object({
    ...asError,
    level: warn,
    status_code: z.number().optional(),
    attempt: count,
    wait_seconds: count,
    api: z.enum(['qualia', 'internal', 'netlife', 'iterable']).optional(),
  }),
  'unknown state': z.object({ ...ofOrder, level: warn, state_code: z.string() }),
  'order reconciled': z.object({
    ...ofOrder,
    level: z.union([info, warn]),
    status: z.literal('NOTIFIED'),
    reason: z.enum(['missing', 'stuck', 'drifted', 'left']),
    age_seconds: count.optional(),
  }),
  'orders reconciled': z.object({
    level: info,
    outcome: z.enum(['complete', 'superseded']),
    known: count,
    missing: count,
    drifted_unnoticed: count,
    in_flight: count,
    oldest_in_flight_seconds: count,
  }),
  'user failed': z.object({
    level: warn,
    run_id: text,
    customer_id: z.string().regex(/^\d+$/),
    error: text,
    error_code: errorCode,
    status_code: count.optional(),
    call: z.enum(['users_update', 'events_track']),
    reason: text,
  }),
  'users failed': z.object({
    level: warn,
    run_id: text,
    error: text,
    error_code: errorCode,
    reason: text,
    count: z.int().min(1),
  }),
  'sync step': z.object({
    level: info,
    run_id: text,
    step: text,
    phase: z.enum(['started', 'ended']),
    done: count.optional(),
    total: count.optional(),
    rate_per_second: count.optional(),
  }),
};

/** A line with metrics only. */
const metrics = z.looseObject({ _aws: z.object({}), service: text, stage: text, message: z.undefined().optional() });
/** Lambda itself logs invocations that end in an error. */
const ofLambda = z.union([
  z.looseObject({ type: z.templateLiteral(['platform.', text]) }),
  z.looseObject({ requestId: text }),
]);

/** Validates a line of a log group. Returns its faults; undefined if it conforms to the contract. */
export const faultOfLine = (line: string): string | undefined => {
  const json = parseJson(line);
  if (metrics.safeParse(json).success || ofLambda.safeParse(json).success) return undefined;
  const { data, error } = everyLine.safeParse(json);
  const fault = error ?? events[data?.message ?? '']?.safeParse(json).error;
  return fault && `${line}\n${z.prettifyError(fault)}`;
};
