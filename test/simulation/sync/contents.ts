import { createRandom } from '../../../samples/random';

/** Jobs have two activities each, so that one can leave the webshop while the other one stays. */
export const activitiesPerJob = 2;

/** The first of this number of subjects has no access key at first, in portals where many have none. */
export const subjectsPerKeyless = 4;

/** A part of a portal's contents that changes. */
export interface ContentPlace {
  readonly portal: string;
  /**
   * A subject's phone number (any value is another number), whether an activity is in the webshop, or whether somebody
   * has created an access key for a subject. 0: no.
   */
  readonly kind: 'phone' | 'activity' | 'key';
  /** Number of the job, from 0. */
  readonly job: number;
  /** Number of the activity or the subject in its job, from 0. */
  readonly index: number;
}

/** The values of a part of a portal, in the order of their times; the first one is from the beginning. */
export interface ChangingContent extends ContentPlace {
  readonly values: readonly { readonly fromMs: number; readonly value: number }[];
}

/** The value of a part of a portal now; undefined if it never changes. */
export type ContentValue = (place: ContentPlace) => number | undefined;

const nameOf = ({ portal, kind, job, index }: ContentPlace): string => `${portal} ${kind} ${job} ${index}`;

/** The values that a part had at some time from `fromMs` to `toMs`, the newest first. */
export const valuesBetween = ({ values }: ChangingContent, fromMs: number, toMs: number): readonly number[] =>
  values
    .filter(({ fromMs: since }, at) => since <= toMs && (values[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY) >= fromMs)
    .map(({ value }) => value)
    .toReversed();

/** The contents as they change. */
export const createContents = (contents: readonly ChangingContent[], now: () => number): ContentValue => {
  const byName = new Map(contents.map((content) => [nameOf(content), content]));
  return (place) => {
    const content = byName.get(nameOf(place));
    return content && valuesBetween(content, now(), now())[0];
  };
};

/** A changing phone number, as a subject has it. No number of the sample has this area code. */
export const phoneOf = ({ job, index }: ContentPlace, value: number): string =>
  `(212) ${2 + value}${job}0-${String(index).padStart(4, '0')}`;

const phoneValues = 4;

interface Portal {
  readonly name: string;
  readonly jobs: number;
  readonly subjectsPerJob: number;
}

/** What changes in the portals, mostly around the times of the runs. Everything has ended before the last run. */
export const createChangingContents = (
  seed: number,
  portals: readonly Portal[],
  runs: readonly { readonly atMs: number }[],
): readonly ChangingContent[] => {
  const random = createRandom(seed + 2_000_003);
  const times = (count: number): number[] =>
    Array.from({ length: count }, () => {
      const { atMs } = random.pick(runs as [{ readonly atMs: number }]);
      return Math.floor(atMs + random.pick([2_000, 20_000, 90_000]) * (2 * random.fraction() - 0.5));
    }).toSorted((a, b) => a - b);
  const changing = (place: ContentPlace): ChangingContent => {
    if (place.kind === 'key') {
      // Keys are only added.
      return { ...place, values: [0, ...times(1)].map((fromMs, value) => ({ fromMs, value })) };
    }
    const first = random.integer(0, 1);
    const next = (before: number): number =>
      place.kind === 'activity' ? 1 - before : (before + random.integer(1, phoneValues - 1)) % phoneValues;
    let value = first;
    const later = times(random.integer(1, 5)).map((fromMs) => {
      value = next(value);
      return { fromMs, value };
    });
    return { ...place, values: [{ fromMs: 0, value: first }, ...later] };
  };
  const contents = new Map<string, ChangingContent>();
  for (const { name: portal, jobs, subjectsPerJob } of portals) {
    for (let count = random.integer(0, 12); count > 0; count--) {
      const kind = random.pick(['phone', 'phone', 'activity', 'key'] as const);
      const job = random.integer(0, jobs - 1);
      const subject = random.integer(0, subjectsPerJob - 1);
      const index =
        kind === 'activity'
          ? random.integer(0, activitiesPerJob - 1)
          : subject - (kind === 'key' ? subject % subjectsPerKeyless : 0);
      const place = { portal, kind, job, index };
      contents.set(nameOf(place), changing(place));
    }
  }
  return [...contents.values()];
};
