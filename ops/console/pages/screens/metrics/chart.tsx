import type { InferResponseType } from 'hono/client';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { formatMs } from '../../../../format';
import type { api } from '../../api';
import { CopyText } from '../../components/copy';
import { Section } from '../../components/page';
import { useTheme } from '../../preferences';

type Charts = InferResponseType<typeof api.metrics.charts.$get>;
type Chart = Charts['charts'][number];

interface ChartProps {
  readonly times: Charts['times'];
  readonly chart: Chart;
}

const heightPx = 170;
/** Custom properties with the colours of the lines. */
const lineColours = ['--line-1', '--line-2', '--line-3'] as const;

const formatValue = (value: number | null | undefined, unit: Chart['unit']): string => {
  if (value === null || value === undefined) return '–';
  return unit === 'ms' ? formatMs(value) : value.toLocaleString('en');
};

const daySeconds = 86_400;

/** A time of the axis, in UTC: `14:30`, or `11-27` for longer periods. */
const formatTick = (atSeconds: number, spanSeconds: number): string => {
  const iso = new Date(atSeconds * 1_000).toISOString();
  return spanSeconds > 2 * daySeconds ? iso.slice(5, 10) : iso.slice(11, 16);
};

/** The figures as a table, for a spreadsheet. */
const toText = ({ times, chart: { series } }: ChartProps): string => {
  const head = ['time', ...series.map(({ label }) => label)];
  const rows = times.map((time, index) => [
    new Date(time * 1_000).toISOString(),
    ...series.map(({ values }) => values[index] ?? ''),
  ]);
  return [head, ...rows].map((row) => row.join('\t')).join('\n');
};

const newest = (values: readonly (number | null)[]): number | null =>
  values.findLast((value) => value !== null) ?? null;
const total = (values: readonly (number | null)[]): number =>
  values.reduce<number>((sum, value) => sum + (value ?? 0), 0);

/** A chart with its legend. Each line's figure is its newest value, or for counts the sum. */
export const ChartPanel = ({ times, chart }: ChartProps) => {
  const { title, unit, series } = chart;
  return (
    <Section title={title} aside={<CopyText text={toText({ times, chart })} label={`Copy the figures of ${title}`} />}>
      <Plot times={times} chart={chart} />
      <ul className="legend">
        {series.map(({ label, values }, index) => (
          <li key={label} data-line={index + 1}>
            {label}{' '}
            <strong>
              {values.some((value) => value === null)
                ? formatValue(newest(values), unit)
                : formatValue(total(values), unit)}
            </strong>
          </li>
        ))}
      </ul>
    </Section>
  );
};

const Plot = ({ times, chart: { title, unit, series } }: ChartProps) => {
  const element = useRef<HTMLDivElement>(null);
  const [theme] = useTheme();
  useEffect(() => {
    const { current } = element;
    if (current === null) return;
    const colourOf = (name: string): string => {
      const probe = document.createElement('i');
      probe.style.color = `var(${name})`;
      current.append(probe);
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    };
    const axis = {
      stroke: colourOf('--text-quiet'),
      grid: { stroke: colourOf('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
    current.dataset.theme = theme;
    const spanSeconds = (times.at(-1) ?? 0) - (times[0] ?? 0);
    const plot = new uPlot(
      {
        width: current.clientWidth,
        height: heightPx,
        legend: { show: false },
        cursor: { y: false },
        tzDate: (ts) => uPlot.tzDate(new Date(ts * 1_000), 'Etc/UTC'),
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, 1) * 1.05] } },
        axes: [
          { ...axis, space: 60, values: (_plot, ticks) => ticks.map((tick) => formatTick(tick, spanSeconds)) },
          { ...axis, size: 52, values: (_plot, ticks) => ticks.map((tick) => formatValue(tick, unit)) },
        ],
        series: [
          {},
          ...series.map(({ label }, index) => ({
            label,
            stroke: colourOf(lineColours[index % lineColours.length] ?? '--text'),
            width: 1.5,
            points: { show: unit === 'ms', size: 4 },
          })),
        ],
      },
      [[...times], ...series.map(({ values }) => [...values])],
      current,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: current.clientWidth, height: heightPx }));
    observer.observe(current);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times, series, unit, theme]);
  return <div ref={element} className="plot" role="img" aria-label={`Chart: ${title}`} />;
};
