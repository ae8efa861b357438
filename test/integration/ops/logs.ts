import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLogsApi } from '../../../emulator/logs/api';
import type { LogEvent } from '../../../emulator/logs/insights/row';
import { createWrittenLogs } from '../../../emulator/logs/written-logs';
import { savedQueries } from '../../../lib/observability/saved-queries';

const webhook = '/aws/lambda/dev-marketplace-webhook';
const download = '/aws/lambda/dev-marketplace-download';
const actions = '/marketplace/dev/actions';
const ofAnotherStage = '/aws/lambda/staging-marketplace-webhook';

/** Serves the CloudWatch Logs API with lines that the test writes. */
export const startLogs = async () => {
  const events = new Map<string, LogEvent[]>();
  let isEndless = false;
  const directory = mkdtempSync(join(tmpdir(), 'written-logs-'));
  const written = createWrittenLogs(directory);
  const { url, stop } = await startLogsApi(() => ({
    logGroups: [webhook, download, actions, ofAnotherStage].map((name) => ({ name })),
    written,
    queryDefinitions: savedQueries.map(({ name, lines }) => ({
      id: name,
      name: `dev-marketplace/${name}`,
      queryString: lines.join('\n'),
      logGroupNames: [webhook, download],
    })),
    async *read(logGroup) {
      yield* events.get(logGroup) ?? [];
      yield* written.read(logGroup).map((event) => ({ ...event, log: logGroup }));
      while (isEndless) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield { timestamp: 0, message: '', log: logGroup, logStream: '' };
      }
    },
  }));
  const writeTo = (logGroup: string) => (timestamp: number, line: object) => {
    const event = { timestamp, message: JSON.stringify(line), log: logGroup, logStream: 'stream' };
    events.set(logGroup, [...(events.get(logGroup) ?? []), event]);
  };
  return {
    url,
    stop: async (): Promise<void> => {
      await stop();
      rmSync(directory, { recursive: true });
    },
    actionsLogGroupName: actions,
    webhook: { name: webhook, write: writeTo(webhook) },
    download: { name: download, write: writeTo(download) },
    ofAnotherStage: { name: ofAnotherStage, write: writeTo(ofAnotherStage) },
    /** Makes every further query endless. */
    makeEndless: (): void => {
      isEndless = true;
    },
    clear: (): void => {
      events.clear();
      isEndless = false;
    },
  };
};
