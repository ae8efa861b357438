import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '../../root';

/** One sync run. */
export const syncRunRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sync-runs/$id',
  component: lazyRouteComponent(() => import('./screen'), 'SyncRunScreen'),
});
