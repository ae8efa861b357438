import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { rootRoute } from '../../root';

const searchSchema = z.object({
  period: z.catch(z._default(z.enum(['3h', '24h', '7d']), '24h'), '24h'),
});

/** Webhooks. */
export const webhooksRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/webhooks',
  validateSearch: searchSchema,
  component: lazyRouteComponent(() => import('./screen'), 'WebhooksScreen'),
});
