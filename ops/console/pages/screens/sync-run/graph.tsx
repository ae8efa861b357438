import { plural } from '../../../../format';
import { layOut } from './layout';
import { type RunDocument, turnsId } from './run';

type Graph = NonNullable<RunDocument['graph']>;
type State = Graph['states'][number];

const words: Readonly<Record<State['status'], string>> = {
  running: 'running',
  succeeded: 'done',
  caught: 'failed, handled',
  failed: 'failed',
  stopped: 'stopped',
  waiting: 'not entered',
};
const signs: Readonly<Record<State['status'], string>> = {
  running: '▶',
  succeeded: '✓',
  caught: '▲',
  failed: '●',
  stopped: '■',
  waiting: '',
};

/** What a state says about itself, below its name. */
const noteOf = ({ status, visits, executions, running, parent, failures, error }: State): string =>
  [
    words[status],
    ...(running > 1 ? [`${running} at the same time`] : []),
    ...(visits > executions ? [`${visits} turns`] : []),
    ...(executions > 1 && parent !== undefined && running <= 1 ? [plural(executions, 'portal')] : []),
    ...(failures > 0 ? [`${plural(failures, 'failed attempt')}${error ? `, ${error}` : ''}`] : []),
  ].join(' · ');

/** The line through points, with round corners. */
const pathOf = (points: readonly { readonly x: number; readonly y: number }[]): string =>
  points
    .map(({ x, y }, index) => {
      const next = points[index + 1];
      if (index === 0) return `M${x} ${y}`;
      return next === undefined ? `L${x} ${y}` : `Q${x} ${y} ${(x + next.x) / 2} ${(y + next.y) / 2}`;
    })
    .join('');

/** The state machine of a run as a picture, with the states that it is in. */
export const StateGraph = ({ graph }: { readonly graph: Graph }) => {
  const { states, transitions, left, top, widthPx, heightPx } = layOut(graph);
  const summary = graph.states
    .filter(({ status, type }) => status !== 'waiting' && type === 'Task')
    .map((state) => `${state.name}: ${noteOf(state)}`)
    .join('; ');
  return (
    <div className="graph">
      <svg viewBox={`${left} ${top} ${widthPx} ${heightPx}`} width={widthPx} height={heightPx}>
        <title>{`State machine. ${summary}`}</title>
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto-start-reverse"
          >
            <path d="M0 0L8 4L0 8z" />
          </marker>
        </defs>
        {transitions.map(({ from, to, kind, points }) => (
          <path
            key={`${from} ${to} ${kind}`}
            className="graph-edge"
            data-kind={kind}
            data-taken={graph.transitions.some(
              (one) => one.from === from && one.to === to && one.kind === kind && one.isTaken,
            )}
            d={pathOf(points)}
            markerEnd="url(#arrow)"
          />
        ))}
        {states.map(({ name, x, y, widthPx: width, heightPx: height }) => {
          const state = graph.states.find((one) => one.name === name);
          return state && <PlacedState key={name} state={state} {...{ x, y, width, height }} />;
        })}
      </svg>
    </div>
  );
};

interface PlacedStateProps {
  readonly state: State;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const tallPx = 30;
const longestNote = 30;

const PlacedState = ({ state, x, y, width, height }: PlacedStateProps) => {
  const { name, type, status, visits } = state;
  const note = noteOf(state);
  const isTall = height > tallPx;
  const picture = (
    <g className="graph-state" data-status={status}>
      <title>{`${name} (${type}): ${note}`}</title>
      <rect x={x - width / 2} y={y - height / 2} width={width} height={height} rx={isTall ? 7 : height / 2} />
      <text x={x} y={isTall ? y - 4 : y + 4} className="graph-name">
        {signs[status] !== '' && `${signs[status]} `}
        {name}
        {!isTall && visits > 1 && ` ×${visits}`}
      </text>
      {isTall && (
        <text x={x} y={y + 13} className="graph-note">
          {note.length > longestNote ? `${note.slice(0, longestNote - 1)}…` : note}
        </text>
      )}
    </g>
  );
  // Its turns are in the waterfall.
  return (type === 'Task' || type === 'Wait') && visits > 0 ? <a href={`#${turnsId(name)}`}>{picture}</a> : picture;
};
