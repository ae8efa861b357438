import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import type { Access } from './access';
import type { Console } from './console';
import { ConsoleFault, respondWithFault } from './faults';
import { live } from './live';
import type { PageFiles } from './pages';
import { actionRoutes } from './routes/actions';
import { issueRoutes } from './routes/issues';
import { logRoutes } from './routes/logs';
import { metricRoutes } from './routes/metrics';
import { orderRoutes } from './routes/orders';
import { pauseRoutes } from './routes/pauses';
import { queueRoutes } from './routes/queues';
import { rehearsalRoutes } from './routes/rehearsals';
import { sessionRoutes } from './routes/session';
import { statusRoutes } from './routes/status';
import { syncRunRoutes } from './routes/sync-runs';
import { taskRoutes } from './routes/tasks';
import { webhookRoutes } from './routes/webhooks';

/** On AWS, each refresh runs queries that are charged by what they read. */
const refreshMs = { local: 2_000, aws: 15_000 } as const;
/** Tasks are in memory. */
const tasksRefreshMs = 1_000;
const maxBodyBytes = 1_000_000;

/** The API of the console: one line per subject. */
const createApi = (console: Console) =>
  new Hono()
    .route('/session', sessionRoutes(console))
    .route('/status', statusRoutes(console))
    .route('/queues', queueRoutes(console))
    .route('/pauses', pauseRoutes(console))
    .route('/rehearsals', rehearsalRoutes(console))
    .route('/issues', issueRoutes(console))
    .route('/logs', logRoutes(console))
    .route('/metrics', metricRoutes(console))
    .route('/orders', orderRoutes(console))
    .route('/sync-runs', syncRunRoutes(console))
    .route('/webhooks', webhookRoutes(console))
    .route('/tasks', taskRoutes(console))
    .route('/actions', actionRoutes(console));

/** The type of the API, from which the pages derive the requests and documents. */
export type Api = ReturnType<typeof createApi>;

/** The console as an HTTP application: the pages, and their API under `/api`. */
export const createApp = (console: Console, access: Access, { html, assets }: PageFiles): Hono => {
  const app = new Hono();
  app.onError(respondWithFault);
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        objectSrc: ["'none'"],
      },
      // It is served over HTTP, on this machine only.
      strictTransportSecurity: false,
      xFrameOptions: 'DENY',
    }),
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new ConsoleFault('usage', 'The request is too large.', ['the request is too large']);
      },
    }),
    access.sameSite,
    async (c, next) => {
      await next();
      // Documents, and pages of another version on the same port, must not stay in the browser.
      c.header('cache-control', 'no-store');
    },
  );
  app.route('/', access.signIn);
  app.use(
    '/api/*',
    access.signedIn,
    live(
      (request) => app.fetch(request),
      (path) => {
        if (path === '/api/tasks') return tasksRefreshMs;
        return console.stage.local ? refreshMs.local : refreshMs.aws;
      },
    ),
  );
  app.route('/api', createApi(console));
  app.all('/api/*', () => {
    throw new ConsoleFault('absent', 'The console has no such resource.');
  });
  app.get('/assets/:name', (c) => {
    const file = assets.get(c.req.param('name'));
    if (file === undefined) throw new ConsoleFault('absent', 'The console has no such file.');
    return c.body(file.content, 200, { 'content-type': file.type });
  });
  // The pages route themselves. They contain no data, so they need no session.
  app.get('*', (c) => c.html(html));
  return app;
};
