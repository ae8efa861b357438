import { CloudWatchLogsClient, InvalidParameterException } from '@aws-sdk/client-cloudwatch-logs';
import { createLogService, type QueryProgress } from '../../../../ops/services/logs';
import { fakeAwsClient } from '../../../support/aws-client';
import { unconfigured } from '../../../support/unconfigured';

jest.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }));

const interrupted = AbortSignal.abort();

/** Runs a query with one status per poll. StopQuery is refused with `refusal`. */
const runWith = async (statuses: readonly string[], signal = new AbortController().signal, refusal?: Error) => {
  const remaining = [...statuses];
  const { client } = fakeAwsClient<CloudWatchLogsClient>((_input, command) => {
    if (command === 'DescribeLogGroupsCommand') return { logGroups: [{ logGroupName: 'dev-marketplace-webhook' }] };
    if (command === 'StartQueryCommand') return { queryId: 'query' };
    if (command === 'GetQueryResultsCommand' && remaining.length > 0) return { status: remaining.shift() };
    if (command === 'StopQueryCommand' && refusal) throw refusal;
    return unconfigured(command)();
  });
  // The paginator accepts no other client.
  const logs = Object.assign(new CloudWatchLogsClient({ region: 'us-east-1' }), client);
  const seen: QueryProgress[] = [];
  const options = { since: new Date(0), until: new Date(1), limit: 1, signal };
  for await (const progress of createLogService({ name: 'dev', logs }).run('fields @message', options)) {
    seen.push(progress);
  }
  return { seen, remaining: remaining.length };
};

test('it is not an error if a query ended before it could be stopped', async () => {
  const refusal = new InvalidParameterException({ message: 'The query is Complete.', $metadata: {} });
  const { seen } = await runWith(['Running'], interrupted, refusal);
  expect(seen).toMatchObject([{ ended: false }]);
});

test('any other refusal to stop a query is an error', async () => {
  await expect(runWith(['Running'], interrupted, new Error('down'))).rejects.toThrow('down');
});

test('a query that CloudWatch Logs does not know ends with an error', async () => {
  const unknown = Array.from({ length: 20 }, () => 'Unknown');
  await expect(runWith(unknown)).rejects.toThrow('CloudWatch Logs ended the query: Unknown.');
  expect(await runWith([...unknown.slice(10), 'Running', ...unknown.slice(10), 'Complete'])).toMatchObject({
    remaining: 0,
  });
});
