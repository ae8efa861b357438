import { CloudWatchClient, EnableAlarmActionsCommand } from '@aws-sdk/client-cloudwatch';
import { EnableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { staticCredentials } from '../lambda/function-definition';
import { type Endpoints, region } from '../resource-types';

type Client = { destroy(): void };

/** Creates a call: parses the input of the target, and sends it with a client of its own. */
const call =
  <Input, C extends Client>(
    schema: z.ZodType<Input>,
    connect: () => C,
    send: (client: C, input: Input) => Promise<unknown>,
  ) =>
  (text: string): (() => Promise<void>) => {
    const input = schema.parse(JSON.parse(text));
    return async () => {
      const client = connect();
      try {
        await send(client, input);
      } finally {
        client.destroy();
      }
    };
  };

/**
 * The universal targets of EventBridge Scheduler that are served here: the call of a target, and the input that it takes.
 * As in AWS, the names in the input are those of the API with only the first letter of an acronym in upper case (`Uuid`).
 */
export const createUniversalTargets = (endpoints: Endpoints) => {
  const credentials = {
    accessKeyId: staticCredentials.AWS_ACCESS_KEY_ID,
    secretAccessKey: staticCredentials.AWS_SECRET_ACCESS_KEY,
  };
  const at = (endpoint: string) => ({ endpoint, region, credentials });
  const targets: Readonly<Record<string, (text: string) => () => Promise<void>>> = {
    'lambda:updateEventSourceMapping': call(
      z.strictObject({ Uuid: z.string(), Enabled: z.boolean() }),
      () => new LambdaClient(at(endpoints.lambda)),
      (client, { Uuid, Enabled }) => client.send(new UpdateEventSourceMappingCommand({ UUID: Uuid, Enabled })),
    ),
    'eventbridge:enableRule': call(
      z.strictObject({ Name: z.string() }),
      () => new EventBridgeClient(at(endpoints.events)),
      (client, input) => client.send(new EnableRuleCommand(input)),
    ),
    'cloudwatch:enableAlarmActions': call(
      z.strictObject({ AlarmNames: z.array(z.string()).min(1).max(100) }),
      () => new CloudWatchClient(at(endpoints.cloudwatch)),
      (client, input) => client.send(new EnableAlarmActionsCommand(input)),
    ),
  };
  /** The call of a target; undefined if it is not served. @throws {z.ZodError} for an input that the call does not take */
  return (targetArn: string, input: string): (() => Promise<void>) | undefined =>
    targets[targetArn.replace(/^arn:aws:scheduler:::aws-sdk:/, '')]?.(input);
};
