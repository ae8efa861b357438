import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const searchSchema = z.object({
  /** Shows the form that starts a run. */
  start: z.catch(z.optional(z.boolean()), undefined),
  /** Only runs of this job. */
  job: z.catch(z.optional(z.string()), undefined),
});

/** Sync runs. */
export const syncRunsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sync-runs',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'SyncRunsScreen'),
});
