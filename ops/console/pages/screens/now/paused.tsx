import { Link } from '@tanstack/react-router';
import { Time } from '../../components/time';
import { knownPart, type StatusDocument } from './status';

/** The parts that operators have paused, on top of everything. */
export const PausedBanner = ({ pauses }: { readonly pauses: StatusDocument['paused']['pauses'] }) => {
  const inForce = (knownPart(pauses) ?? []).filter((pause) => pause.in_force);
  return inForce.map(({ part, by, reason, since, until }) => (
    <div key={part} className="banner" role="status">
      <strong>{part} is paused</strong>
      <span>
        by {by.replace(/^.*[/:]/, '')}, <Time at={since} />, {until === null ? 'until it is resumed' : 'until '}
        {until !== null && <Time at={until} />}: {reason}
      </span>
      <Link to="/queues">Resume</Link>
    </div>
  ));
};
