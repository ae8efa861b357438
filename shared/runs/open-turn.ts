import * as z from 'zod';

const itemSchema = z.object({
  /** The newest turn at each counter. */
  turns: z.record(z.string(), z.string()).default({}),
  counters: z.record(z.string(), z.object({ ended_turn: z.string().optional().catch(undefined) })).default({}),
});

/**
 * Whether the newest turn at a counter may still work: it has not recorded its end. A turn that crashed, or one of a
 * release that recorded no end, looks the same.
 *
 * @param item of a run, as it is stored
 */
export const hasOpenTurn = (item: unknown, counterName: string): boolean => {
  const { turns, counters } = itemSchema.parse(item);
  const newest = turns[counterName];
  return newest !== undefined && counters[counterName]?.ended_turn !== newest;
};
