import { netlifePlanSchema, portalSchema } from '../../shared/netlife/input';
import { createPortalParts } from '../../shared/netlife/portal-parts';
import { reportRetry } from '../../shared/observability/report-retry';
import { createPreflight } from '../../shared/runs/preflight';
import { thenAlways } from '../../shared/runs/then-always';
import type { NetlifeCollectDependencies } from './handler';

/** `CheckLogins`: checks our login at every portal, one call each. A portal whose jobs are listed has accepted it. */
export const createLoginCheck = (dependencies: Omit<NetlifeCollectDependencies, 'openKnownKeys' | 'sleep'>) => {
  const { portals, openClient, logger, metrics } = dependencies;
  return createPreflight({
    ...dependencies,
    name: 'logins',
    plan: netlifePlanSchema(portals),
    checksOf: ({ netlife }, { folder, progress, deadlineMs }) =>
      netlife.portals.map((name) => ({
        name: `netlife/${name}`,
        run: async () => {
          if ((await createPortalParts(folder, name).readJobs()) !== undefined) return;
          const client = await openClient(portalSchema(portals).parse(name), {
            deadlineMs,
            signal: progress.stopped,
            keepLeases: progress.keepLeases,
            onRetry: ({ error, attempt, waitMs }) =>
              reportRetry(logger, metrics, {}, { error, attempt, waitSeconds: waitMs / 1_000 }),
          });
          await thenAlways(
            () => client.testConnection(),
            () => client.close(),
          );
        },
      })),
  });
};
