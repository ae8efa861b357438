import { startLogsApi } from '../../../emulator/logs/api';
import type { LogEvent } from '../../../emulator/logs/insights/row';
import { savedQueries } from '../../../lib/observability/saved-queries';

const webhook = '/aws/lambda/dev-marketplace-webhook';
const download = '/aws/lambda/dev-marketplace-download';
const ofAnotherStage = '/aws/lambda/staging-marketplace-webhook';

/** Serves the CloudWatch Logs API with lines that the test writes. */
export const startLogs = async () => {
  const events = new Map<string, LogEvent[]>();
  let isEndless = false;
  const { url, stop } = await startLogsApi(() => ({
    logGroups: [webhook, download, ofAnotherStage].map((name) => ({ name })),
    queryDefinitions: savedQueries.map(({ name, lines }) => ({
      id: name,
      name: `dev-marketplace/${name}`,
      queryString: lines.join('\n'),
      logGroupNames: [webhook, download],
    })),
    async *read(logGroup) {
      yield* events.get(logGroup) ?? [];
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
    stop,
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
