import { ChartPanel } from '../metrics/chart';
import type { LogRow } from './row';

const binCount = 60;

interface HistogramProps {
  readonly rows: readonly LogRow[];
  /** ISO times. */
  readonly since: string;
  readonly until: string;
}

/** How many rows were logged when. Rows without a time are not lines. */
export const Histogram = ({ rows, since, until }: HistogramProps) => {
  const startMs = Date.parse(since);
  const binMs = Math.max(1, (Date.parse(until) - startMs) / binCount);
  const values = Array.from({ length: binCount }, () => 0);
  let lines = 0;
  for (const row of rows) {
    const at = row.get('@timestamp');
    if (at === undefined) continue;
    const bin = Math.floor((Date.parse(`${at.replace(' ', 'T')}Z`) - startMs) / binMs);
    const index = Math.min(binCount - 1, Math.max(0, bin));
    values[index] = (values[index] ?? 0) + 1;
    lines += 1;
  }
  if (lines === 0) return null;
  const times = values.map((_, index) => (startMs + index * binMs) / 1_000);
  return (
    <ChartPanel
      times={times}
      chart={{ title: 'Lines over time', unit: 'count', series: [{ label: 'lines', values }] }}
    />
  );
};
