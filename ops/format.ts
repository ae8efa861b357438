/** Makes untrusted text safe to print: on one line, without characters that a terminal interprets. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();

const steps = [
  { unit: 'd', ms: 86_400_000 },
  { unit: 'h', ms: 3_600_000 },
  { unit: 'm', ms: 60_000 },
] as const;

/** Formats an age in its largest unit: `3h ago`. */
export const formatAge = (ageMs: number): string => {
  const step = steps.find(({ ms }) => ageMs >= ms) ?? { unit: 's', ms: 1_000 };
  return `${Math.max(0, Math.floor(ageMs / step.ms))}${step.unit} ago`;
};

/** Formats a duration in its two largest units: `45s`, `3m 20s`, `1h 02m`. */
export const formatDuration = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  const twoDigits = (count: number): string => String(count).padStart(2, '0');
  if (minutes === 0) return `${whole}s`;
  if (minutes < 60) return `${minutes}m ${twoDigits(whole % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
};

/** Formats a duration: `420 ms`, `1.2 s`, `3m 20s`. */
export const formatMs = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : formatDuration(ms / 1_000);

/** `1 order`, `2 orders`, `10,000 orders`. */
export const plural = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

/**
 * List prices, in USD per million orders: "What it costs" in docs/deploy.md. A replay is a new round, which costs at most
 * what an order costs. So does a dead letter that is redriven.
 */
const usdPerMillion = { order: 10.5, traces: 15 };

/** The cost of a bulk action at AWS, rounded up to whole cents: `up to 0.03 USD at AWS`. */
export const formatBulkCost = (orders: number): string => {
  const cents = Math.ceil((orders * (usdPerMillion.order + usdPerMillion.traces)) / 10_000);
  return `up to ${(cents / 100).toFixed(2)} USD at AWS`;
};
