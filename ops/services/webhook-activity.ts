import type { LogService } from './logs';
import { parseLogTime } from './order-log/lines';

/** What the webhook made of a call. `queued`: it started a round. */
export const webhookOutcomes = ['queued', 'duplicate', 'stale', 'refused'] as const;
export type WebhookOutcome = (typeof webhookOutcomes)[number];

/** Refused calls with the same reason and source. */
export interface Refusals {
  readonly reason: string;
  readonly sourceIp: string;
  readonly calls: number;
  readonly last: Date;
}

/** The calls of the webhook. */
export interface WebhookActivity {
  /** Calls by outcome, in bins of equal length, the oldest first. */
  readonly bins: Readonly<Record<WebhookOutcome, readonly number[]>>;
  /** The most frequent first. */
  readonly refusals: readonly Refusals[];
}

/** How far back the calls are counted, and the number of their bins. */
export const webhookPeriods = {
  '3h': { bin: '5m', binMs: 300_000, bins: 36 },
  '24h': { bin: '1h', binMs: 3_600_000, bins: 24 },
  '7d': { bin: '6h', binMs: 21_600_000, bins: 28 },
} as const;
export type WebhookPeriod = keyof typeof webhookPeriods;

const maxRows = 10_000;
const refusals = [
  'filter message = "webhook refused"',
  'stats count(*) as calls, max(@timestamp) as last by reason, source_ip',
  'sort calls desc',
].join(' | ');

/** Counts the calls of the webhook, from its log lines. */
export const readWebhookActivity = async (
  logs: Pick<LogService, 'search'>,
  period: WebhookPeriod,
  nowMs: number,
): Promise<WebhookActivity> => {
  const { bin, binMs, bins: length } = webhookPeriods[period];
  const firstMs = (Math.floor(nowMs / binMs) - length + 1) * binMs;
  const calls = [
    'filter message in ["webhook accepted", "webhook refused"]',
    `stats count(*) as calls by message, outcome, bin(${bin}) as bin_start`,
  ].join(' | ');
  const options = { since: new Date(firstMs), until: new Date(nowMs), limit: maxRows };
  const [counted, refused] = await Promise.all([logs.search(calls, options), logs.search(refusals, options)]);
  const bins: Record<WebhookOutcome, number[]> = { queued: [], duplicate: [], stale: [], refused: [] };
  for (const outcome of webhookOutcomes) bins[outcome] = new Array<number>(length).fill(0);
  for (const row of counted) {
    const outcome = webhookOutcomes.find((name) => name === (row.get('outcome') ?? 'refused')) ?? 'queued';
    const index = (parseLogTime(row.get('bin_start') ?? '').getTime() - firstMs) / binMs;
    const before = bins[outcome][index];
    if (before !== undefined) bins[outcome][index] = before + Number(row.get('calls'));
  }
  return {
    bins,
    refusals: refused.map((row) => ({
      reason: row.get('reason') ?? 'unknown',
      sourceIp: row.get('source_ip') ?? 'unknown',
      calls: Number(row.get('calls')),
      last: parseLogTime(row.get('last') ?? ''),
    })),
  };
};
