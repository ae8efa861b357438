import * as z from 'zod';
import { describeIssues } from '../../shared/config';
import { orderIdSchema } from '../../shared/orders/order';
import { stages } from '../services/stage';

/** Wrong usage. The message names everything that is wrong, one fault a line when there are several. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(readonly faults: readonly string[]) {
    super(faults.length === 1 ? `${faults[0]}.` : ['Several things are wrong:', ...faults].join('\n  '));
  }
}

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const durationPattern = /^([1-9]\d{0,4})([smhdw])$/;

/** Milliseconds of `30m`, `24h`, `7d` and the like; nothing for any other text. */
export const parseDurationMs = (text: string): number | undefined => {
  const [, count, unit] = durationPattern.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * unitsMs[unit as keyof typeof unitsMs];
};

const instantSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

/** A moment in the past: `24h` before now, or an ISO 8601 date or time. */
export const sinceSchema = (nowMs: number) =>
  z.string().transform((text, context): Date => {
    const durationMs = parseDurationMs(text);
    const instant = durationMs === undefined ? instantSchema.safeParse(text).data : undefined;
    const sinceMs = durationMs === undefined ? Date.parse(instant ?? '') : nowMs - durationMs;
    if (sinceMs < nowMs) return new Date(sinceMs);
    const message = Number.isNaN(sinceMs)
      ? 'must be a duration such as 30m, 24h or 7d, or a time such as 2026-01-31T08:00:00Z'
      : 'must be in the past';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** A whole number written as text. */
export const countSchema = (most: number) =>
  z.string().transform((text, context): number => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    context.addIssue({ code: 'custom', message: `must be a whole number from 1 to ${most}` });
    return z.NEVER;
  });

/** The one status that can be listed. */
export const listableStatusSchema = z.literal(
  'FAILED',
  'can only be FAILED: failed orders alone have an index, and any other status would mean reading the whole table; ' +
    'one order, whatever its status, is shown by "orders get <id>"',
);

/** One order id or several, each once. */
export const orderIdsSchema = z.array(orderIdSchema).transform((ids) => [...new Set(ids)]);
export { orderIdSchema };

/** What every verb takes. */
export const globalOptions = {
  stage: z.enum(stages, `must be one of ${stages.join(', ')}`),
  region: z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/, 'must be an AWS region such as us-east-1').optional(),
  local: z.boolean().default(false),
  json: z.boolean().default(false),
};
const globalSchema = z.object(globalOptions);
export type GlobalOptions = z.output<typeof globalSchema>;

/** What was typed: arguments and options under their names, as text. */
export type RawInput = Readonly<Record<string, unknown>>;

/**
 * Reads what was typed.
 *
 * @param argumentNames those of the input's names that are arguments, not options
 * @param rules gives a sentence for each rule between several inputs that is broken
 * @throws {UsageError} naming everything that is wrong.
 */
export const readInput = <T>(
  schema: z.ZodType<T>,
  raw: RawInput,
  argumentNames: readonly string[],
  rules: (raw: RawInput) => readonly string[] = () => [],
): T => {
  const parsed = schema.safeParse(raw);
  const broken = rules(raw);
  if (parsed.success && broken.length === 0) return parsed.data;
  const faults = describeIssues(parsed.error?.issues ?? []).map(({ path, message }) => {
    const [name = '', index] = path.split('.');
    const typed = index === undefined ? raw[name] : [raw[name]].flat()[Number(index)];
    const label = argumentNames.includes(name) ? 'order id' : `--${name}`;
    return `${label} ${typed === undefined ? '' : `"${String(typed)}" `}${message}`;
  });
  throw new UsageError([...faults, ...broken]);
};
