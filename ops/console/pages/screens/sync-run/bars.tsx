import type { RunDocument } from './run';

/** A row of the waterfall. */
export type WaterfallRow = RunDocument['waterfall'][number];
/** The parts of a row. */
export type PartsOfState = NonNullable<WaterfallRow['parts']>;
/** One turn of a state, or the work on a part in it. */
export type Turn = WaterfallRow['turns'][number];

/** A period, in epoch ms. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** A shorter bar would not be visible. */
const smallestShare = 0.004;

/** When a turn ended, or now. */
export const endOf = (turn: Turn, nowMs: number): number => turn.endedMs ?? Math.max(nowMs, turn.startedMs);

/** How long turns took, in ms. */
export const sumOf = (turns: readonly Turn[], nowMs: number): number =>
  turns.reduce((sum, turn) => sum + endOf(turn, nowMs) - turn.startedMs, 0);

/** Where a period is in the span of the waterfall. */
export const toShare = ({ startMs, endMs }: Span, span: Span) => {
  const totalMs = Math.max(1, span.endMs - span.startMs);
  const left = Math.max(0, (startMs - span.startMs) / totalMs);
  return { left: `${left * 100}%`, width: `${Math.max(0, (endMs - span.startMs) / totalMs - left) * 100}%` };
};

interface BarsProps {
  readonly turns: readonly Turn[];
  readonly span: Span;
  readonly isWait?: boolean;
}

/** One bar per turn. */
export const Bars = ({ turns, span, isWait = false }: BarsProps) =>
  turns.map((turn) => (
    <span
      key={turn.startedMs}
      className={isWait ? 'waterfall-wait' : 'waterfall-bar'}
      data-end={turn.end ?? 'running'}
      style={{
        ...toShare({ startMs: turn.startedMs, endMs: endOf(turn, span.endMs) }, span),
        minWidth: `${smallestShare * 100}%`,
      }}
    />
  ));
