import { setTimeout as sleep } from 'node:timers/promises';
import colors from 'picocolors';
import * as z from 'zod';
import type { SentOrder } from '../simulators/qualia-webhook';
import { control } from './control';
import { isClosed, type OrderState, type OrdersTable } from './orders-table';

const pollEveryMs = 20;
const patienceMs = 60_000;

/** Undefined where another server is used instead of the simulator. */
interface Simulators {
  readonly internalApi: { readonly controlUrl: string } | undefined;
}

const postedSchema = z.object({ body: z.unknown() });

const indent = ' '.repeat(10);
/** What a journey shows of a JSON text. */
const excerptColumns = 70;
const excerptLines = 4;

/** The first lines of a JSON text, which is broken between its fields. */
const excerpt = (json: string): string => {
  const lines: string[] = [];
  let line = '';
  for (const field of json.split(/(?<=,)(?=")/)) {
    if (line !== '' && line.length + field.length > excerptColumns) {
      lines.push(line);
      line = '';
    }
    line += field;
  }
  lines.push(line);
  const shown = lines.length > excerptLines ? [...lines.slice(0, excerptLines), `… ${sizeOf(json)} in total`] : lines;
  return shown.map((text) => `${indent}${text}`).join('\n');
};

const bytes = (count: number): string => `${count.toLocaleString('en-US')} bytes`;
const sizeOf = (text: string): string => bytes(Buffer.byteLength(text));

/** The lines about an order that was notified at `startMs`, one for each step that it has taken. */
const stepsOf = (order: OrderState | undefined, startMs: number): string[] => {
  if (order === undefined) return [];
  const { notified_at, downloaded_at, payload_size = 0, processed_at, failed_at, error } = order;
  const line = (at: string, status: string, text: string) =>
    `${((Date.parse(at) - startMs) / 1_000).toFixed(2).padStart(6)} s  ${colors.bold(status.padEnd(10))}  ${text}`;
  return [
    line(notified_at, 'NOTIFIED', 'the webhook has stored and queued it'),
    ...(downloaded_at ? [line(downloaded_at, 'DOWNLOADED', `${bytes(payload_size)} from Qualia, stored in S3`)] : []),
    ...(processed_at ? [line(processed_at, 'PROCESSED', 'posted to the internal API')] : []),
    ...(failed_at ? [line(failed_at, 'FAILED', error?.code ?? '')] : []),
  ];
};

/** What the internal API received about an order, if that is known. */
const postedBody = async ({ internalApi }: Simulators, orderId: string): Promise<string | undefined> => {
  if (internalApi === undefined) return undefined;
  const { body } = postedSchema.parse(await control(`${internalApi.controlUrl}/orders/${orderId}`, 'GET'));
  return JSON.stringify(body);
};

/**
 * Follows a new order until it is closed, and shows each of its steps.
 *
 * @returns whether it was processed
 */
export const followOrder = async (
  simulators: Simulators,
  table: OrdersTable,
  { order_id, notification, webhook }: SentOrder,
  say: (line: string) => void,
): Promise<boolean> => {
  const startMs = Date.parse(notification.timestamp);
  say(`  0.00 s  ${colors.bold('Qualia'.padEnd(10))}  posts to the webhook:\n${excerpt(JSON.stringify(notification))}`);
  if (webhook.status !== 200) {
    say(colors.red(`${indent}It responds ${webhook.status}: ${JSON.stringify(webhook.body)}`));
    return false;
  }
  let shown = 0;
  for (const endMs = Date.now() + patienceMs; Date.now() < endMs; await sleep(pollEveryMs)) {
    const [order] = await table.read([order_id]);
    const steps = stepsOf(order, startMs);
    for (const step of steps.slice(shown)) say(step);
    shown = steps.length;
    if (order === undefined || !isClosed(order)) continue;
    if (order.status !== 'PROCESSED') return false;
    const body = await postedBody(simulators, order_id);
    if (body !== undefined) say(excerpt(body));
    return true;
  }
  say(colors.red(`${indent}It is still open after ${patienceMs / 1_000} s.`));
  return false;
};
