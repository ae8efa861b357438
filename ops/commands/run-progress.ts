import { syncJobNames, syncJobs } from '../../shared/runs/jobs';
import type { Counter, Run } from '../../shared/runs/repository';
import { formatDuration } from './terminal';

/** How far one part of a run is; without a counter it has not begun. */
export interface PartProgress {
  /** Such as `netlife/nowandforeverphoto` or `iterable/push`. */
  readonly name: string;
  readonly counter: Counter | undefined;
}

/** The parts of a run in the order of its input, those included that have not begun. */
export const partsOf = ({ input, counters }: Pick<Run, 'input' | 'counters'>): PartProgress[] => {
  const planned = syncJobNames.filter((job) => input[job] !== undefined);
  const names = new Set([...planned.flatMap((job) => syncJobs[job].counters(input[job])), ...Object.keys(counters)]);
  return [...names].map((name) => ({ name, counter: counters[name] }));
};

const widestBar = 30;
const narrowestBar = 5;
const gap = '  ';

/**
 * One line a part: name, bar, percentage, count, rate and time left, side by side.
 *
 * @param columns how wide a line may be; without it there are no bars
 */
export const renderProgress = (parts: readonly PartProgress[], columns?: number): string[] => {
  const rows = parts.map(({ name, counter }) => ({ share: shareOf(counter), cells: [name, ...cellsOf(counter)] }));
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map(({ cells }) => cells[column]?.length ?? 0)));
  const textWidth = widths.reduce((sum, width) => sum + (width > 0 ? width + gap.length : 0), 0);
  const barWidth = columns === undefined ? 0 : Math.min(widestBar, columns - textWidth);
  return rows.map(({ share, cells }) => {
    const [name, ...rest] = cells.map((cell, column) =>
      // Numbers end where the others end.
      column === 1 || column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    );
    const bar = barWidth >= narrowestBar ? [renderBar(share, barWidth)] : [];
    const line = [name, ...bar, ...rest].filter((cell) => cell !== '').join(gap);
    return line.slice(0, columns).trimEnd();
  });
};

/** Done of all, from 0 to 1; nothing while it is not known. */
const shareOf = (counter: Counter | undefined): number | undefined => {
  if (counter?.total === undefined) return undefined;
  return counter.total === 0 ? 1 : Math.min(1, counter.done / counter.total);
};

const renderBar = (share = 0, width: number): string => {
  // Full only at the end.
  const filled = Math.floor(share * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
};

/** Percentage, count, rate, time left. */
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

/** What is slower than one a second is told by the minute. */
const formatRate = (perSecond: number): string => {
  if (perSecond >= 10) return `${grouped(Math.round(perSecond))}/s`;
  return perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(perSecond * 60).toFixed(1)}/min`;
};
