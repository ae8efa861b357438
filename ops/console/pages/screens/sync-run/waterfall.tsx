import { formatMs, plural } from '../../../../format';
import { Section } from '../../components/page';
import { useNow } from '../../components/time';
import { Bars, endOf, type Span, sumOf, type WaterfallRow } from './bars';
import { turnsId } from './run';
import { PartRows } from './waterfall-parts';

const ticks = [0, 0.25, 0.5, 0.75, 1] as const;

const nameOf = ({ portal, state }: WaterfallRow): string => (portal === undefined ? state : `${state} of ${portal}`);

const textOf = (row: WaterfallRow, nowMs: number): string => {
  const errors = new Set(row.turns.flatMap(({ error }) => error ?? []));
  return [`${nameOf(row)}: ${plural(row.turns.length, 'turn')}, ${formatMs(sumOf(row.turns, nowMs))}`, ...errors].join(
    ', ',
  );
};

/** When each state worked, by portal: one bar per turn, and below it one row per part. */
export const Waterfall = ({ rows }: { readonly rows: readonly WaterfallRow[] }) => {
  const now = useNow();
  const turns = rows.flatMap((row) => row.turns);
  const nowMs = Math.max(now, ...turns.map(({ startedMs }) => startedMs));
  const span: Span = {
    startMs: Math.min(...turns.map(({ startedMs }) => startedMs)),
    endMs: Math.max(...turns.map((turn) => endOf(turn, nowMs))),
  };
  return (
    <Section title="Waterfall" aside={<Legend />}>
      <div className="waterfall">
        <div className="waterfall-ticks" aria-hidden="true">
          {ticks.map((tick) => (
            <span key={tick}>{tick === 0 ? '0' : formatMs(tick * (span.endMs - span.startMs))}</span>
          ))}
        </div>
        <ul>
          {rows.map((row, index) => (
            <li
              key={`${row.portal} ${row.state} ${row.turns[0]?.startedMs}`}
              id={rows.findIndex(({ state }) => state === row.state) === index ? turnsId(row.state) : undefined}
              data-begins={row.portal !== undefined && row.portal !== rows[index - 1]?.portal}
            >
              <div className="waterfall-row" title={textOf(row, nowMs)}>
                <span className="waterfall-name">
                  <strong>{row.state}</strong> {row.portal}
                </span>
                <span className="waterfall-track">
                  <Bars turns={row.turns} span={span} isWait={row.isWait} />
                </span>
                <span className="waterfall-time">{formatMs(sumOf(row.turns, nowMs))}</span>
              </div>
              {row.parts && <PartRows of={nameOf(row)} parts={row.parts} span={span} />}
            </li>
          ))}
        </ul>
      </div>
    </Section>
  );
};

const Legend = () => (
  <span className="waterfall-legend">
    one bar per turn and part: <span className="waterfall-key" data-kind="work" /> work{' '}
    <span className="waterfall-key" data-kind="wait" /> waiting
  </span>
);
