import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const searchSchema = z.object({
  tab: z.catch(z.optional(z.enum(['history', 'payload', 'body', 'changes', 'logs', 'item'])), undefined),
  /** The round whose payload is shown; default: the newest stored one. */
  round: z.catch(z.optional(z.string()), undefined),
});

/** One order. */
export const orderRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/orders/$id',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'OrderScreen'),
});
