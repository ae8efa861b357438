import type { Portal } from './portals';

/** All counters, in the order of the report. */
export const counterNames = [
  'activities_found',
  'jobs_processed',
  'jobs_failed',
  'subjects_total',
  'subjects_buyers',
  'subjects_non_buyers',
  'subjects_with_phones',
  'subjects_with_emails',
  'subjects_with_images',
  'registered_users_checked',
  'registered_users_found',
  'access_keys_existing',
  'access_keys_created',
  'access_keys_failed',
  'api_calls_total',
  'api_calls_failed',
  'retries',
  'rows_rejected',
  'contacts_written',
  'cache_hits',
  'cache_misses',
  /** Phone numbers left empty because they cannot be dialled. */
  'phones_unusable',
  /** Existing access keys that an earlier run had read, so that no call was needed. */
  'access_keys_known',
] as const;

export type CounterName = (typeof counterNames)[number];
/** Counters of calls, which were made even if their results are discarded. */
export const callCounterNames: readonly CounterName[] = [
  'api_calls_total',
  'api_calls_failed',
  'retries',
  'cache_hits',
  'cache_misses',
];

export type Counters = Readonly<Record<CounterName, number>>;

/** Statistics of one portal, or of all of them. */
export interface Statistics extends Counters {
  readonly duration_seconds: number;
  /** The first 5 messages, each one sentence, safe to log. */
  readonly errors: readonly string[];
}

/** What to add to statistics. */
export type StatisticsDelta = Partial<Statistics>;

export const keptErrors = 5;

/** Adds statistics up, durations included: for portals that ran side by side, the caller sets the duration. */
export const addStatistics = (...deltas: readonly StatisticsDelta[]): Statistics => {
  const sum = (name: CounterName | 'duration_seconds') =>
    deltas.reduce((total, delta) => total + (delta[name] ?? 0), 0);
  return {
    ...(Object.fromEntries(counterNames.map((name) => [name, sum(name)])) as Counters),
    duration_seconds: sum('duration_seconds'),
    errors: deltas.flatMap(({ errors = [] }) => errors).slice(0, keptErrors),
  };
};

const rule = '='.repeat(50);

const clockTime = (seconds: number): string => {
  const whole = Math.floor(seconds);
  const twoDigits = (count: number) => String(count).padStart(2, '0');
  return `${Math.floor(whole / 3_600)}:${twoDigits(Math.floor(whole / 60) % 60)}:${twoDigits(whole % 60)}`;
};

const percentage = (part: number, whole: number): string => `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(1)}%`;

/** Heading of a portal's statistics: `nowandforeverphoto (Generations)`. */
export const portalTitle = ({ name, brand }: Portal): string => `${name} (${brand})`;

/** The content of `stats.txt`, with a trailing line break. */
export const formatFinalStats = (title: string, stats: Statistics): string =>
  `${[
    rule,
    `FINAL STATS - ${title}`,
    rule,
    `Duration: ${clockTime(stats.duration_seconds)}`,
    `Activities Found: ${stats.activities_found}`,
    `Jobs Processed: ${stats.jobs_processed}`,
    `Subjects Total: ${stats.subjects_total}`,
    `  - Buyers: ${stats.subjects_buyers}`,
    `  - Non-Buyers: ${stats.subjects_non_buyers}`,
    `  - With Phones: ${stats.subjects_with_phones}`,
    `  - With Emails: ${stats.subjects_with_emails}`,
    `  - With Images: ${stats.subjects_with_images}`,
    'Registered Users:',
    `  - Checked: ${stats.registered_users_checked}`,
    `  - Found: ${stats.registered_users_found}`,
    `  - Rate: ${percentage(stats.registered_users_found, stats.registered_users_checked)}`,
    'Access Keys:',
    `  - Existing: ${stats.access_keys_existing}`,
    `  - Created: ${stats.access_keys_created}`,
    `  - Failed: ${stats.access_keys_failed}`,
    'API Calls:',
    `  - Total: ${stats.api_calls_total}`,
    `  - Failed: ${stats.api_calls_failed}`,
    rule,
  ].join('\n')}\n`;
