import * as z from 'zod';
import { roundSchema as anyRoundSchema, type OrderId, orderIdSchema } from '../../shared/orders/order';
import { describeIssues } from '../../shared/schema';
import { parseDay, parseInstant } from '../../shared/time';
import { stages } from '../services/stage-connection';
import { oneLine } from './terminal';

/** Wrong usage. The message lists every fault, one per line if there are several. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const lines = faults.map(oneLine);
    super(lines.length === 1 ? `${lines[0]}.` : ['Several errors:', ...lines].join('\n  '));
    this.faults = lines;
  }
}

const maxQuoted = 200;

/** Quotes what was typed, shortened to a readable length. */
const quoted = (typed: unknown): string => {
  const text = JSON.stringify(typed) ?? 'nothing';
  return text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text;
};

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const durationPattern = /^([1-9]\d{0,4})([smhdw])$/;

/** Parses a duration such as `30m`, `24h` or `7d` to milliseconds; undefined for any other text. */
export const parseDurationMs = (text: string): number | undefined => {
  const [, count, unit] = durationPattern.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * unitsMs[unit as keyof typeof unitsMs];
};

/** Parses a day or a time to epoch milliseconds. A day begins at midnight UTC. A time needs an offset, as it could otherwise be local time. */
const parseMomentMs = (text: string): number | undefined => {
  const day = parseDay(text);
  return parseInstant(day === undefined ? text : `${day}T00:00Z`)?.ms;
};

/** A moment in the past: `24h` before now, or an ISO 8601 date or time. */
export const sinceSchema = (now: () => number) =>
  z.string().transform((text, context): Date => {
    const nowMs = now();
    const durationMs = parseDurationMs(text);
    const sinceMs = durationMs === undefined ? parseMomentMs(text) : nowMs - durationMs;
    if (sinceMs !== undefined && sinceMs < nowMs) return new Date(sinceMs);
    const message =
      sinceMs === undefined
        ? 'must be a duration such as 30m, 24h or 7d, or a time such as 2026-01-31T08:00:00Z'
        : 'must be in the past';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** A moment in the future, at most `longestDays` away: `4h` from now, or an ISO 8601 date or time. In whole seconds. */
export const untilSchema = (now: () => number, longestDays = 30) =>
  z.string().transform((text, context): Date => {
    const nowMs = now();
    const durationMs = parseDurationMs(text);
    const untilMs = durationMs === undefined ? parseMomentMs(text) : nowMs + durationMs;
    if (untilMs !== undefined && untilMs > nowMs && untilMs <= nowMs + longestDays * unitsMs.d) {
      return new Date(Math.ceil(untilMs / 1_000) * 1_000);
    }
    const message =
      untilMs === undefined
        ? 'must be a duration such as 30m, 4h or 7d, or a time such as 2026-01-31T08:00:00Z'
        : `must be within the next ${longestDays} days`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** A whole number from 1 to `most`, as text. */
export const countSchema = (most: number) =>
  z.string().transform((text, context): number => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    context.addIssue({ code: 'custom', message: `must be a whole number from 1 to ${most}` });
    return z.NEVER;
  });

/** The only status that can be listed. */
export const listableStatusSchema = z.literal(
  'FAILED',
  'can only be FAILED: only failed orders have an index, any other status would need a scan of the table; ' +
    '"--open" lists open orders, and "orders get <id>" shows an order of any status',
);

/** One or more order IDs, without duplicates. */
export const orderIdsSchema = z.array(orderIdSchema).transform((ids) => [...new Set(ids)]);
export type { OrderId };
export { orderIdSchema };

/** A round, as `orders get` shows it. */
export const roundSchema = z.string().transform((text, context) => {
  const round = anyRoundSchema.safeParse(text).data;
  if (round !== undefined) return round;
  context.addIssue({ code: 'custom', message: 'must be a round as "orders get" shows it' });
  return z.NEVER;
});

const longestReason = 200;

/** Faults of `--reason`, which is required on AWS: changes to the embedded AWS concern nobody else. */
export const reasonFaults = ({ reason, local, state }: RawInput): string[] => {
  if (reason === undefined) {
    return local === true || state !== undefined ? [] : ['--reason is missing: say why, for the record'];
  }
  const { length } = String(reason).trim();
  return length >= 1 && length <= longestReason ? [] : [`--reason must have 1 to ${longestReason} characters`];
};

const globalSchema = z.object({
  stage: z.enum(stages, `must be one of ${stages.join(', ')}`),
  region: z
    .string()
    .regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/, 'must be an AWS region such as us-east-1')
    .optional(),
  local: z.boolean().default(false),
  state: z.string().min(1, 'must name a folder').optional(),
  json: z.boolean().default(false),
});
/** Options of every verb. */
export type GlobalOptions = z.output<typeof globalSchema>;

/** The typed arguments and options by name, as text. */
export type RawInput = Readonly<Record<string, unknown>>;

/** How the input of a verb is parsed. */
export interface InputRules<Input> {
  readonly schema: z.ZodType<Input>;
  /** Returns a sentence for each broken rule that involves several inputs. */
  readonly rules?: (raw: RawInput) => readonly string[];
}

/**
 * Parses the typed arguments and options.
 *
 * @param argumentNames the names that are arguments, not options
 * @throws {UsageError} that lists every fault
 */
export const readInput = <Input>(
  { schema, rules = () => [] }: InputRules<Input>,
  raw: RawInput,
  argumentNames: readonly string[],
): { readonly global: GlobalOptions; readonly input: Input } => {
  const global = globalSchema.safeParse(raw);
  const input = schema.safeParse(raw);
  const broken = rules(raw);
  if (global.success && input.success && broken.length === 0) return { global: global.data, input: input.data };

  const faults = [global, input].flatMap(({ error }) => describeIssues(error?.issues ?? []));
  const sentences = faults.map(({ path, message }) => {
    const [name = '', index] = path.split('.');
    const typed = index === undefined ? raw[name] : [raw[name]].flat()[Number(index)];
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return `${argumentNames.includes(name) ? `<${name}>` : option} ${quoted(typed)} ${message}`;
  });
  throw new UsageError([...sentences, ...broken]);
};
