import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const searchSchema = z.object({
  /** The query. */
  q: z.catch(z.optional(z.string()), undefined),
  since: z.catch(z._default(z.enum(['1h', '3h', '24h', '7d', '30d']), '3h'), '3h'),
});

/** Logs. */
export const logsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/logs',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'LogsScreen'),
});
