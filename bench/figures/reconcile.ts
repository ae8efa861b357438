import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { startQualiaSimulator } from '../../local/simulators/qualia';
import { readSecretsFile } from '../../local/start/secrets-file';
import { synthesized } from '../bundle';
import type { FigureSet } from '../figure';
import { startAwsProcess, startedSchema } from '../pipeline/aws-process';
import { round } from '../statistics';

const orders = 5_000;

/** High enough that neither the pace nor the queue limits the reconciler. */
const withoutLimits = { ROUNDS_PER_SECOND: '1000', BACKLOG_LIMIT: '1000000' };
/** Qualia's responses for single orders are so slow that the download worker uses no CPU time. */
const slowDownloads = [{ kind: 'slow', match: { operation: 'order' }, latency_ms: 600_000 }];

const outputsSchema = z.object({ ReconcilerFunctionName: z.string() });
const reportSchema = z.object({
  outcome: z.literal('complete'),
  missing: z.literal(orders),
  not_started: z.literal(0),
});

/** How fast a pass starts rounds for missing orders, including reading the list. */
export const reconcile: FigureSet<'reconcile_orders_per_s'> = {
  title: 'Missing orders started by the reconciler',
  bars: {
    // 720,000 orders (an hour at 200 webhooks per second) in two hours.
    reconcile_orders_per_s: { unit: 'orders/s', bar: 100, better: 'higher' },
  },
  measure: async (note) => {
    const stateDirectory = mkdtempSync(path.join(tmpdir(), 'bench-reconcile-'));
    const secretsFile = path.join(stateDirectory, 'secrets.json');
    const { QualiaSecret: credentials } = readSecretsFile(secretsFile);
    const open = Array.from({ length: orders }, (_, index) => ({
      _id: `QO-${index}`,
      order_number: `MKT-${index}`,
      status: 'open',
    }));
    const qualia = await startQualiaSimulator({ credentials, orders: open });
    const aws = await startAwsProcess(false);
    try {
      await fetch(`${qualia.controlUrl}/faults`, { method: 'PUT', body: JSON.stringify(slowDownloads) });
      const { endpoints, outputs } = startedSchema.parse(
        await aws.send({
          kind: 'start',
          assemblyDirectory: synthesized(),
          stateDirectory,
          secretsFile,
          maxConcurrency: 1,
          environmentOverrides: { QUALIA_API_URL: qualia.url, ...withoutLimits },
        }),
      );
      const { ReconcilerFunctionName } = outputsSchema.parse(outputs['dev-OrderPipeline']);
      const invocation = `${endpoints.lambda}/2015-03-31/functions/${ReconcilerFunctionName}/invocations`;
      const startedAtMs = performance.now();
      const response = await fetch(invocation, { method: 'POST', body: '{}' });
      const seconds = (performance.now() - startedAtMs) / 1000;
      reportSchema.parse(await response.json());
      note(`${orders} missing orders, one invocation of ${round(seconds, 1)} s with its cold start`);
      note(`720,000 orders at this rate: ${round(720_000 / (orders / seconds) / 3600, 1)} h`);
      await aws.send({ kind: 'stop' });
      return { reconcile_orders_per_s: round(orders / seconds, 1) };
    } finally {
      aws.end();
      await qualia.stop();
      rmSync(stateDirectory, { recursive: true, force: true });
    }
  },
};
