/** The limit of a figure. */
export interface Bar {
  readonly unit: string;
  readonly bar: number;
  readonly better: 'lower' | 'higher';
}

/** Figures that are measured together. */
export interface FigureSet<Name extends string = string> {
  readonly title: string;
  readonly bars: Readonly<Record<Name, Bar>>;
  /** Measures all figures of the set. `note` prints a line with details. */
  measure(note: (line: string) => void): Promise<Readonly<Record<Name, number>>>;
}

/** A figure in `results.json`. */
export interface Result extends Bar {
  readonly value: number;
  readonly holds: boolean;
}

/** Compares a value with its bar. A value equal to the bar passes. */
export const compareWithBar = (value: number, bar: Bar): Result => ({
  value,
  ...bar,
  holds: bar.better === 'lower' ? value <= bar.bar : value >= bar.bar,
});
