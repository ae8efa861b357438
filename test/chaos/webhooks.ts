import { type MixedDay, mixedDay } from '../../local/sample/day';
import { type OrderStory, orderStories } from '../../local/sample/stories';
import { badCalls } from '../../samples/bad-calls';

const share = { duplicate: 0.05, stale: 0.02, hostile: 0.01 };

/** A story of the sample day, with another share. @throws {Error} if there is no such story */
const story = (name: string, newShare: number): OrderStory => {
  const found = orderStories.find((one) => one.name === name);
  if (found === undefined) throw new Error(`The sample day has no story "${name}"`);
  return { ...found, share: newShare };
};

/** The webhooks of a storm. They contain only stories without faults: all faults come from the disturbances. */
export const stormyDay = (orders: number, seed: number): MixedDay =>
  mixedDay({
    orders,
    seed,
    nowMs: Date.now(),
    stories: [story('sent twice', share.duplicate), story('overtaken', share.stale)],
    bad: badCalls.map((call) => ({ ...call, share: share.hostile / badCalls.length })),
  });
