import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { ServiceFault } from '../../../../../ops/services/fault';
import { watchCircuits } from '../../../../../ops/services/replay/watch-circuits';
import { fakeAwsClient } from '../../../../support/aws-client';

/** Watches logs for a number of searches. `found` returns the rows of the n-th search. */
const watch = async (found: (search: number) => readonly string[] | Error, searches: number) => {
  let nowMs = 1_000_000;
  const queries: Readonly<Record<string, unknown>>[] = [];
  const { client } = fakeAwsClient<CloudWatchLogsClient>((input, command) => {
    if (command === 'DescribeLogGroupsCommand') return { logGroups: [{ logGroupName: 'download' }] };
    if (command === 'StartQueryCommand') return { queryId: String(queries.push(input)) };
    const services = found(queries.length);
    if (services instanceof Error) throw services;
    return { status: 'Complete', results: services.map((value) => [{ field: 'service', value }]) };
  });
  // The paginator accepts no other client.
  const logs = Object.assign(new CloudWatchLogsClient({ region: 'us-east-1' }), client);
  const controller = new AbortController();
  const ended = Promise.withResolvers<void>();
  let blind: ServiceFault | undefined;
  const waitsMs: number[] = [];
  const opened = watchCircuits(
    { name: 'dev', logs },
    {
      owners: ['download', 'processing'],
      now: () => nowMs,
      sleep: async (ms) => {
        waitsMs.push(ms);
        nowMs += ms;
        if (waitsMs.length <= searches) return;
        controller.abort();
        ended.resolve();
      },
      signal: controller.signal,
      onBlind: (fault) => {
        blind = fault;
        ended.resolve();
      },
    },
  );
  await ended.promise;
  return { opened: opened(), queries, blind, waitsMs };
};

test('finds nothing while no circuit opens, and searches less and less often', async () => {
  const { opened, queries, waitsMs } = await watch(() => [], 6);
  expect(opened).toEqual([]);
  expect(waitsMs.slice(0, 6)).toEqual([2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  expect(queries[0]).toMatchObject({ startTime: 1_000, endTime: 1_002 });
  expect(queries[0]?.queryString).toContain('service in ["download", "processing"]');
});

test('searches no further back than log lines can be delayed', async () => {
  const { queries } = await watch(() => [], 20);
  const { startTime, endTime } = queries.at(-1) ?? {};
  expect(Number(endTime) - Number(startTime)).toBeLessThanOrEqual(106);
});

test('reports the worker whose circuit opened', async () => {
  expect((await watch((search) => (search === 2 ? ['processing'] : []), 4)).opened).toEqual(['processing']);
});

test('reports that the logs cannot be searched', async () => {
  const refused = Object.assign(new Error('not authorized'), { $fault: 'client', name: 'AccessDeniedException' });
  const { blind, opened } = await watch(() => refused, 4);
  expect(blind?.message).toBe('AWS refused (AccessDeniedException): not authorized');
  expect(opened).toEqual([]);
});
