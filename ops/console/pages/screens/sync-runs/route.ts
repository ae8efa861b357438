import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const searchSchema = z.object({
  /** Shows the form that starts a run. */
  start: z.catch(z.optional(z.boolean()), undefined),
  /** Only runs of this job. */
  job: z.catch(z.optional(z.string()), undefined),
  /** Maximum number of runs. */
  limit: z.catch(z.optional(z.int().check(z.minimum(1), z.maximum(500))), undefined),
});

/** Sync runs. */
export const syncRunsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sync-runs',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'SyncRunsScreen'),
});
