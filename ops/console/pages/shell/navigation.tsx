import { Link } from '@tanstack/react-router';

const screens = [
  ['/', 'Now'],
  ['/issues', 'Issues'],
  ['/orders', 'Orders'],
  ['/queues', 'Queues'],
  ['/webhooks', 'Webhooks'],
  ['/sync-runs', 'Sync runs'],
  ['/logs', 'Logs'],
  ['/metrics', 'Metrics and alarms'],
  ['/actions', 'Actions'],
] as const;

/** The list of screens. One order and one sync run are opened from their lists. */
export const Navigation = ({ isOpen }: { readonly isOpen: boolean }) => (
  <nav id="navigation" className="navigation" aria-label="Screens" data-open={isOpen}>
    {screens.map(([to, title]) => (
      <Link key={to} to={to} activeOptions={{ exact: to === '/', includeSearch: false }} className="navigation-link">
        {title}
      </Link>
    ))}
  </nav>
);
