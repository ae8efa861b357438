import { Graph, layout } from '@dagrejs/dagre';
import type { RunDocument } from './run';

type RunGraph = NonNullable<RunDocument['graph']>;

/** A state with its centre, in pixels. */
interface PlacedState {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A transition with the points of its line. */
interface PlacedTransition {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const characterPx = 7.4;
const noteWidthPx = 190;

const sizeOf = ({ name, type }: RunGraph['states'][number]) =>
  type === 'Task' || type === 'Map' || type === 'Parallel' || type === 'Wait'
    ? { width: Math.max(noteWidthPx, name.length * characterPx + 40), height: 44 }
    : { width: name.length * characterPx + 44, height: 26 };

/** A picture of the state machine. */
export interface Layout {
  readonly states: readonly PlacedState[];
  readonly transitions: readonly PlacedTransition[];
  readonly left: number;
  readonly top: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

const marginPx = 10;

/** While a run is watched, only the statuses of its states change. */
const known = new Map<string, Layout>();

/** Places the states of a run's state machine from top to bottom. */
export const layOut = (graph: RunGraph): Layout => {
  const key = JSON.stringify([
    graph.states.map(({ name }) => name),
    graph.transitions.map(({ from, to }) => [from, to]),
  ]);
  const layout = known.get(key) ?? place(graph);
  known.set(key, layout);
  return layout;
};

const place = ({ states, transitions }: RunGraph): Layout => {
  const picture = new Graph({ multigraph: true });
  picture.setGraph({ rankdir: 'TB', nodesep: 22, ranksep: 26, edgesep: 14 });
  picture.setDefaultEdgeLabel(() => ({}));
  for (const state of states) picture.setNode(state.name, sizeOf(state));
  for (const { from, to, kind } of transitions) picture.setEdge(from, to, {}, kind);
  layout(picture);
  const placed = states.map(({ name }) => {
    const { x = 0, y = 0, width: widthPx, height: heightPx } = picture.node(name);
    return { name, x, y, widthPx, heightPx };
  });
  const lines = transitions.map(({ from, to, kind }) => {
    const { points = [] } = picture.edge(from, to, kind);
    return { from, to, kind, points };
  });
  const points = [
    ...lines.flatMap((line) => line.points),
    ...placed.flatMap(({ x, y, widthPx, heightPx }) => [
      { x: x - widthPx / 2, y: y - heightPx / 2 },
      { x: x + widthPx / 2, y: y + heightPx / 2 },
    ]),
  ];
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs) - marginPx, Math.min(...ys) - marginPx];
  return {
    states: placed,
    transitions: lines,
    left,
    top,
    widthPx: Math.ceil(Math.max(...xs) + marginPx - left),
    heightPx: Math.ceil(Math.max(...ys) + marginPx - top),
  };
};
