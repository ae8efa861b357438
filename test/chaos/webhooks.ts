import { badCalls } from '../../local/sample/bad-calls';
import { type MixedDay, mixedDay } from '../../local/sample/day';
import { type OrderStory, orderStories } from '../../local/sample/stories';

const share = { duplicate: 0.05, stale: 0.02, hostile: 0.01 };

/** @throws {Error} when the sample day has no such story */
const story = (name: string, of: number): OrderStory => {
  const found = orderStories.find((one) => one.name === name);
  if (found === undefined) throw new Error(`The sample day has no story "${name}"`);
  return { ...found, share: of };
};

/** The webhooks of a storm: what goes wrong with their orders is the storm's doing alone. */
export const stormyDay = (orders: number, seed: number): MixedDay =>
  mixedDay({
    orders,
    seed,
    nowMs: Date.now(),
    stories: [story('sent twice', share.duplicate), story('overtaken', share.stale)],
    bad: badCalls.map((call) => ({ ...call, share: share.hostile / badCalls.length })),
  });
