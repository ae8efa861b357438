import { formatMs, plural } from '../../../../format';
import { Section } from '../../components/page';
import { useNow } from '../../components/time';
import { type RunDocument, turnsId } from './run';

type Row = RunDocument['waterfall'][number];
type Turn = Row['turns'][number];

const ticks = [0, 0.25, 0.5, 0.75, 1] as const;
/** A shorter turn would not be visible. */
const smallestShare = 0.004;

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

const endOf = (turn: Turn, nowMs: number): number => turn.endedMs ?? Math.max(nowMs, turn.startedMs);

const sumOf = (turns: readonly Turn[], nowMs: number): number =>
  turns.reduce((sum, turn) => sum + endOf(turn, nowMs) - turn.startedMs, 0);

const textOf = ({ portal, state, turns }: Row, nowMs: number): string => {
  const errors = new Set(turns.flatMap(({ error }) => error ?? []));
  const of = portal === undefined ? '' : ` of ${portal}`;
  return [`${state}${of}: ${plural(turns.length, 'turn')}, ${formatMs(sumOf(turns, nowMs))}`, ...errors].join(', ');
};

/** When each state worked, by portal: one bar per turn. */
export const Waterfall = ({ rows }: { readonly rows: readonly Row[] }) => {
  const now = useNow();
  const turns = rows.flatMap((row) => row.turns);
  const nowMs = Math.max(now, ...turns.map(({ startedMs }) => startedMs));
  const span: Span = {
    startMs: Math.min(...turns.map(({ startedMs }) => startedMs)),
    endMs: Math.max(...turns.map((turn) => endOf(turn, nowMs))),
  };
  const totalMs = Math.max(1, span.endMs - span.startMs);
  return (
    <Section title="Waterfall" aside="one bar per turn of a Lambda">
      <div className="waterfall">
        <div className="waterfall-ticks" aria-hidden="true">
          {ticks.map((tick) => (
            <span key={tick}>{tick === 0 ? '0' : formatMs(tick * totalMs)}</span>
          ))}
        </div>
        <ul>
          {rows.map((row, index) => (
            <li
              key={`${row.portal} ${row.state} ${row.turns[0]?.startedMs}`}
              id={rows.findIndex(({ state }) => state === row.state) === index ? turnsId(row.state) : undefined}
              title={textOf(row, nowMs)}
              data-begins={row.portal !== undefined && row.portal !== rows[index - 1]?.portal}
            >
              <span className="waterfall-name">
                <strong>{row.state}</strong> {row.portal}
              </span>
              <span className="waterfall-track">
                {row.turns.map((turn) => (
                  <span
                    key={turn.startedMs}
                    className="waterfall-bar"
                    data-end={turn.end ?? 'running'}
                    style={{
                      left: `${((turn.startedMs - span.startMs) / totalMs) * 100}%`,
                      width: `${Math.max(smallestShare, (endOf(turn, nowMs) - turn.startedMs) / totalMs) * 100}%`,
                    }}
                  />
                ))}
              </span>
              <span className="waterfall-time">{formatMs(sumOf(row.turns, nowMs))}</span>
            </li>
          ))}
        </ul>
      </div>
    </Section>
  );
};
