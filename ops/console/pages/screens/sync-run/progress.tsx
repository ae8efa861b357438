import { formatDuration } from '../../../../format';
import { Section } from '../../components/page';
import type { RunDocument } from './run';

type Part = RunDocument['progress'][number];

const grouped = (value: number): string => value.toLocaleString('en');

const rateOf = (perSecond: number): string =>
  perSecond >= 1 ? `${grouped(Math.round(perSecond * 10) / 10)}/s` : `${Math.round(perSecond * 600) / 10}/min`;

const noteOf = ({ done, total, has_begun, rate_per_second, seconds_left }: Part, hasEnded: boolean): string => {
  if (!has_begun) return hasEnded ? 'not begun' : 'waiting';
  const count = total === null ? grouped(done) : `${grouped(done)} of ${grouped(total)}`;
  if (hasEnded || (total !== null && done >= total)) return count;
  const rate = rate_per_second === null ? [] : [rateOf(rate_per_second)];
  const left = seconds_left === null ? [] : [`${formatDuration(seconds_left)} left`];
  return [count, ...rate, ...left].join(' · ');
};

/** How far each part of a run is, with its rate and the time left. */
export const Progress = ({ run: { progress, has_ended } }: { readonly run: RunDocument }) => (
  <Section title="Progress">
    <ul className="progress-list">
      {progress.map((part) => (
        <li key={part.name}>
          <span className="progress-name">{part.name}</span>
          <progress
            aria-label={part.name}
            max={Math.max(1, part.total ?? 1)}
            value={part.total === 0 ? 1 : part.total === null && !has_ended && part.has_begun ? undefined : part.done}
          />
          <span className="progress-note">{noteOf(part, has_ended)}</span>
        </li>
      ))}
    </ul>
  </Section>
);
