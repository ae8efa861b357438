import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { type TailedEvent, tail } from '../../../../ops/services/live-tail';
import { fakeAwsClient } from '../../../support/aws-client';

const arnOf = (name: string): string => `arn:aws:logs:us-east-1:000000000000:log-group:${name}`;

/** CloudWatch Logs with log groups, and a Live Tail session for each request with one event per log group. */
const fakeLogs = (groups: number, end: object = {}) => {
  const { client, inputs } = fakeAwsClient<CloudWatchLogsClient>((input, command) => {
    if (command === 'DescribeLogGroupsCommand') {
      const names = Array.from({ length: groups }, (_, index) => `group-${index}`);
      return { logGroups: names.map((logGroupName) => ({ logGroupName, logGroupArn: arnOf(logGroupName) })) };
    }
    async function* session() {
      const arns = input.logGroupIdentifiers as string[];
      yield { sessionStart: {} };
      yield { sessionUpdate: { sessionResults: arns.map((message) => ({ timestamp: 1_000, message })) } };
      yield { sessionUpdate: { sessionResults: [] } };
      yield end;
    }
    return { responseStream: session() };
  });
  // A paginator checks the class of its client.
  Object.setPrototypeOf(client, CloudWatchLogsClient.prototype);
  return { client, inputs };
};

const follow = async (client: CloudWatchLogsClient, pattern = '') => {
  const sessions: number[] = [];
  const events: TailedEvent[] = [];
  const { signal } = new AbortController();
  const options = { pattern, now: () => 0, signal, onStart: (count: number) => sessions.push(count) };
  for await (const event of tail({ name: 'prod', local: false, logs: client }, options)) events.push(event);
  return { sessions, events };
};

test('opens one session per ten log groups, and joins their events', async () => {
  const { client, inputs } = fakeLogs(13);
  const { sessions, events } = await follow(client, '{ $.level = "ERROR" }');
  expect(sessions).toEqual([2]);
  expect(events).toHaveLength(13);
  expect(events).toContainEqual({ at: new Date(1_000), message: arnOf('group-12') });
  expect(inputs.slice(1)).toEqual([
    {
      logGroupIdentifiers: Array.from({ length: 10 }, (_, index) => arnOf(`group-${index}`)),
      logEventFilterPattern: '{ $.level = "ERROR" }',
    },
    expect.objectContaining({ logGroupIdentifiers: [arnOf('group-10'), arnOf('group-11'), arnOf('group-12')] }),
  ]);
});

test('without a pattern, follows all events', async () => {
  const { client, inputs } = fakeLogs(1);
  await follow(client);
  expect(inputs[1]).toEqual({ logGroupIdentifiers: [arnOf('group-0')] });
});

test.each([
  ['SessionTimeoutException', 'Live Tail ended after three hours.'],
  ['SessionStreamingException', 'Live Tail failed.'],
])('reports %s', async (name, message) => {
  const { client } = fakeLogs(1, { [name]: {} });
  await expect(follow(client)).rejects.toThrow(message);
});

test('reports a stage without log groups', async () => {
  await expect(follow(fakeLogs(0).client)).rejects.toThrow('The stage prod has no log groups.');
});
