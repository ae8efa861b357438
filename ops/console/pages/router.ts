import { createRouter } from '@tanstack/react-router';
import { rootRoute } from './root';
import { actionsRoute } from './screens/actions/route';
import { issuesRoute } from './screens/issues/route';
import { logsRoute } from './screens/logs/route';
import { metricsRoute } from './screens/metrics/route';
import { nowRoute } from './screens/now/route';
import { orderRoute } from './screens/order/route';
import { ordersRoute } from './screens/orders/route';
import { queuesRoute } from './screens/queues/route';
import { syncRunRoute } from './screens/sync-run/route';
import { syncRunsRoute } from './screens/sync-runs/route';
import { webhooksRoute } from './screens/webhooks/route';
import { ScreenFault } from './shell/faults';

const routeTree = rootRoute.addChildren([
  ...[nowRoute, issuesRoute, ordersRoute, orderRoute, queuesRoute, webhooksRoute],
  ...[syncRunsRoute, syncRunRoute, logsRoute, metricsRoute, actionsRoute],
]);

/** The screens by address. */
export const router = createRouter({ routeTree, defaultPreload: 'intent', defaultErrorComponent: ScreenFault });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
