import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const searchSchema = z.object({
  period: z.catch(z._default(z.enum(['3h', '24h', '7d', '30d']), '24h'), '24h'),
  /** The alarm whose history is shown. */
  alarm: z.catch(z.optional(z.string()), undefined),
});

/** Metrics and alarms. */
export const metricsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/metrics',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'MetricsScreen'),
});
