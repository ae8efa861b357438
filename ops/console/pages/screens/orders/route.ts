import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const searchSchema = z.object({
  /** An order ID or request ID. */
  q: z.catch(z.optional(z.string()), undefined),
  tab: z.catch(z.optional(z.enum(['open', 'failed', 'warnings', 'recent'])), undefined),
  since: z.catch(z.optional(z.enum(['1h', '24h', '7d', '30d'])), undefined),
});

/** Orders. */
export const ordersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/orders',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'OrdersScreen'),
});
