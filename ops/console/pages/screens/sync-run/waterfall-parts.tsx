import { useState } from 'react';
import { formatMs } from '../../../../format';
import { Bars, type PartsOfState, type Span, sumOf, toShare } from './bars';

/** Of more parts, only the most telling ones are shown at first. */
const shownFirst = 12;

interface PartRowsProps {
  /** What the parts belong to: `CollectPortal of <portal>`. */
  readonly of: string;
  readonly parts: PartsOfState;
  readonly span: Span;
}

/** The parts of a state: one row for each, with its work, and the time for which it waited before and between. */
export const PartRows = ({ of, parts: { total, shown }, span }: PartRowsProps) => {
  const [isAll, setAll] = useState(false);
  const startOf = ({ work, readyMs }: PartsOfState['shown'][number]): number => work[0]?.startedMs ?? readyMs;
  const visible = (isAll ? shown : shown.slice(0, shownFirst)).toSorted((a, b) => startOf(a) - startOf(b));
  return (
    <>
      <ul aria-label={`Parts of ${of}`} className="waterfall-parts">
        {visible.map(({ name, status, readyMs, work }) => {
          const endMs = status === 'done' || status === 'failed' ? (work.at(-1)?.endedMs ?? readyMs) : span.endMs;
          const waitedMs = Math.max(0, endMs - readyMs - sumOf(work, span.endMs));
          const took = work.length === 0 ? 'waiting' : formatMs(sumOf(work, span.endMs));
          return (
            <li key={name} title={`${name}: ${status}, worked ${took}, waited ${formatMs(waitedMs)}`}>
              <span className="waterfall-name">{name}</span>
              <span className="waterfall-track">
                <span className="waterfall-wait" style={toShare({ startMs: readyMs, endMs }, span)} />
                <Bars turns={work} span={span} />
              </span>
              <span className="waterfall-time">
                {status === 'failed' && 'failed, '}
                {took}
              </span>
            </li>
          );
        })}
      </ul>
      {total > shownFirst && (
        <p className="waterfall-more">
          <button type="button" className="quiet" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? 'Show fewer' : `Show ${shown.length.toLocaleString('en')} of ${total.toLocaleString('en')} parts`}
          </button>
          {!isAll && <span className="quiet-text">Shown first: failed, in work, slowest</span>}
        </p>
      )}
    </>
  );
};
