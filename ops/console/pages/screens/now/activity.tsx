import { Sparkline } from '../../components/sparkline';
import { isMissing, knownPart, type StatusDocument } from './status';

const tiles = [
  ['Webhooks accepted', 'webhooks'],
  ['Orders downloaded', 'downloaded'],
  ['Orders processed', 'processed'],
  ['Orders failed', 'failed'],
  ['Webhooks refused', 'refused'],
] as const;

type TileName = (typeof tiles)[number][1];
/** What is bad if it is not zero. */
const bad: ReadonlySet<TileName> = new Set(['failed', 'refused']);

/** The last hour in figures, with the hour before it and the same hour of yesterday. */
export const ActivityTiles = ({ activity, bins }: Pick<StatusDocument, 'activity' | 'bins'>) => {
  const report = knownPart(activity);
  if (report === undefined) return <p className="missing">{isMissing(activity) && `Activity: ${activity.missing}.`}</p>;
  return (
    <section aria-label="The last hour" className="tiles">
      {tiles.map(([title, name]) => (
        <div key={name} className="tile" data-bad={bad.has(name) && report.last_hour[name] > 0}>
          <h2 className="tile-title">{title}</h2>
          <p className="tile-value">{report.last_hour[name].toLocaleString('en')}</p>
          <Sparkline values={bins.map((bin) => bin[name])} label={`${title}, in the last hour, per five minutes`} />
          <p className="tile-note" title="In the hour before, and in the same hour of yesterday">
            {report.hour_before[name].toLocaleString('en')} before ·{' '}
            {report.same_hour_yesterday[name].toLocaleString('en')} yesterday
          </p>
        </div>
      ))}
    </section>
  );
};
