const width = 120;
const height = 28;
const margin = 2;

interface SparklineProps {
  readonly values: readonly number[];
  /** What it shows. */
  readonly label: string;
}

/** A small line without axes. */
export const Sparkline = ({ values, label }: SparklineProps) => {
  const highest = Math.max(1, ...values);
  const points = values.map((value, index) => {
    const x = values.length < 2 ? 0 : (index / (values.length - 1)) * width;
    const y = height - margin - (value / highest) * (height - 2 * margin);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  if (points.length === 0) return null;
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polygon className="sparkline-area" points={`0,${height} ${points.join(' ')} ${width},${height}`} />
      <polyline className="sparkline-line" points={points.join(' ')} />
    </svg>
  );
};
