import { syncJobNames, syncJobs } from '../../shared/runs/jobs';
import type { Counter, Run } from '../../shared/runs/run';
import { formatDuration } from './terminal';

/** The progress of one counter of a run; without `counter`, the work has not begun. */
export interface PartProgress {
  /** Such as `netlife/nowandforeverphoto` or `iterable/push`. */
  readonly name: string;
  readonly counter: Counter | undefined;
}

/** The counters of a run in the order of its input, including those that have not begun. */
export const partsOf = ({ input, counters }: Pick<Run, 'input' | 'counters'>): PartProgress[] => {
  const planned = syncJobNames.filter((job) => input[job] !== undefined);
  const names = new Set([...planned.flatMap((job) => syncJobs[job].counters(input[job])), ...Object.keys(counters)]);
  return [...names].map((name) => ({ name, counter: counters[name] }));
};

const widestBar = 30;
const narrowestBar = 5;
const gap = '  ';

/**
 * One line per counter: name, bar, percentage, count, rate and time left.
 *
 * @param columns maximum width of a line; without it, no bars are shown
 */
export const renderProgress = (parts: readonly PartProgress[], columns?: number): string[] => {
  const rows = parts.map(({ name, counter }) => ({ share: shareOf(counter), cells: [name, ...cellsOf(counter)] }));
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map(({ cells }) => cells[column]?.length ?? 0)));
  const textWidth = widths.reduce((sum, width) => sum + (width > 0 ? width + gap.length : 0), 0);
  const barWidth = columns === undefined ? 0 : Math.min(widestBar, columns - textWidth);
  return rows.map(({ share, cells }) => {
    const [name, ...rest] = cells.map((cell, column) =>
      // Align numbers to the right.
      column === 1 || column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    );
    const bar = barWidth >= narrowestBar ? [renderBar(share, barWidth)] : [];
    const line = [name, ...bar, ...rest].filter((cell) => cell !== '').join(gap);
    return line.slice(0, columns).trimEnd();
  });
};

/** The share that is done, from 0 to 1; undefined while the total is unknown. */
const shareOf = (counter: Counter | undefined): number | undefined => {
  if (counter?.total === undefined) return undefined;
  return counter.total === 0 ? 1 : Math.min(1, counter.done / counter.total);
};

const renderBar = (share = 0, width: number): string => {
  // Round down, so that the bar is full only at the end.
  const filled = Math.floor(share * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
};

/** Cells: percentage, count, rate, time left. */
const cellsOf = (counter: Counter | undefined): readonly [string, string, string, string] => {
  if (counter === undefined) return ['', '', '', 'waiting'];
  const { done, total, rate_per_second: rate } = counter;
  const share = shareOf(counter);
  const percentage = share === undefined ? '' : `${Math.floor(share * 100)}%`;
  const count = total === undefined ? grouped(done) : `${grouped(done)} of ${grouped(total)}`;
  if (total !== undefined && done >= total) return [percentage, count, '', 'done'];
  if (rate === undefined || rate <= 0) return [percentage, count, '', ''];
  const left = total === undefined ? '' : `${formatDuration(Math.ceil((total - done) / rate))} left`;
  return [percentage, count, formatRate(rate), left];
};

/** `1,000,000`. */
const grouped = (count: number): string => count.toLocaleString('en-US');

/** Formats a rate per second, or per minute if it is below one per second. */
const formatRate = (perSecond: number): string => {
  if (perSecond >= 10) return `${grouped(Math.round(perSecond))}/s`;
  return perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(perSecond * 60).toFixed(1)}/min`;
};
