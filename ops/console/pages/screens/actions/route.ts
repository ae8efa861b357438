import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const periods = ['24h', '7d', '30d', '90d'] as const;

const searchSchema = z.object({
  since: z.catch(z._default(z.enum(periods), '7d'), '7d'),
  /** The beginning of the verb. */
  verb: z.catch(z.optional(z.string()), undefined),
  /** Part of the caller's ARN. */
  by: z.catch(z.optional(z.string()), undefined),
});

/** Actions. */
export const actionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/actions',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'ActionsScreen'),
});
