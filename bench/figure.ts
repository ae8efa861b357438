/** What a figure is held against. */
export interface Bar {
  readonly unit: string;
  readonly bar: number;
  readonly better: 'lower' | 'higher';
}

/** Figures that are measured together. */
export interface FigureSet<Name extends string = string> {
  readonly title: string;
  readonly bars: Readonly<Record<Name, Bar>>;
  /** Measures all of them. `note` prints a line of what lies behind the figures. */
  measure(note: (line: string) => void): Promise<Readonly<Record<Name, number>>>;
}

/** A figure as `results.json` holds it. */
export interface Result extends Bar {
  readonly value: number;
  readonly holds: boolean;
}

/** Holds a value against its bar. A value that equals the bar holds. */
export const judge = (value: number, bar: Bar): Result => ({
  value,
  ...bar,
  holds: bar.better === 'lower' ? value <= bar.bar : value >= bar.bar,
});
