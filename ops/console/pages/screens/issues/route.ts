import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const searchSchema = z.object({
  /** Whether to list resolved issues too. */
  all: z.catch(z.optional(z.literal(true)), undefined),
  /** The issue that is shown. */
  issue: z.catch(z.optional(z.string()), undefined),
});

/** Issues. */
export const issuesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/issues',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'IssuesScreen'),
});
