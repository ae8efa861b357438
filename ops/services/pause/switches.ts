import { setTimeout as wait } from 'node:timers/promises';
import {
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  ListRuleNamesByTargetCommand,
} from '@aws-sdk/client-eventbridge';
import {
  GetEventSourceMappingCommand,
  paginateListEventSourceMappings,
  ResourceInUseException,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { ServiceFault } from '../fault';
import type { StageConnection } from '../stage-connection';
import type { PausablePart } from './parts';

/** What a pause switches off: an event source mapping of a worker, or a rule that starts the syncs. */
export interface Switch {
  /** UUID of the mapping, or name of the rule. */
  readonly id: string;
  readonly isOn: boolean;
}

type Connection = Pick<StageConnection, 'name' | 'lambda' | 'eventBridge' | 'stateMachineArn'>;

const pollMs = 500;
/** Lambda takes up to a minute to stop its pollers. */
const longestChangeMs = 180_000;

const onStates: readonly (string | undefined)[] = ['Enabled', 'Enabling', 'Creating', 'Updating'];

/** Reads the switches of a part. */
export const readSwitches = async (stage: Connection, part: PausablePart): Promise<Switch[]> => {
  const { eventBridge } = stage;
  if (part === 'sync') {
    const target = new ListRuleNamesByTargetCommand({ TargetArn: stage.stateMachineArn });
    const { RuleNames = [] } = await eventBridge.send(target);
    const rules = await Promise.all(RuleNames.map((Name) => eventBridge.send(new DescribeRuleCommand({ Name }))));
    return rules.map(({ Name = '', State }) => ({ id: Name, isOn: State === 'ENABLED' }));
  }
  const switches: Switch[] = [];
  const FunctionName = `${stage.name}-marketplace-${part}`;
  const pages = paginateListEventSourceMappings({ client: stage.lambda }, { FunctionName });
  for await (const { EventSourceMappings = [] } of pages) {
    switches.push(...EventSourceMappings.map(({ UUID = '', State }) => ({ id: UUID, isOn: onStates.includes(State) })));
  }
  return switches;
};

/** Switches a part's switch on or off, and waits until it is. */
export const flip = async (stage: Connection, part: PausablePart, id: string, on: boolean): Promise<void> => {
  if (part !== 'sync') return setMapping(stage, id, on);
  await stage.eventBridge.send(on ? new EnableRuleCommand({ Name: id }) : new DisableRuleCommand({ Name: id }));
};

const setMapping = async ({ lambda }: Pick<Connection, 'lambda'>, UUID: string, on: boolean): Promise<void> => {
  const wanted = on ? 'Enabled' : 'Disabled';
  const startedMs = performance.now();
  for (;;) {
    const { State } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
    if (State === wanted) return;
    if (State === 'Enabled' || State === 'Disabled') {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: on })).catch((error: unknown) => {
        // It began to change in the meantime.
        if (!(error instanceof ResourceInUseException)) throw error;
      });
    }
    if (performance.now() - startedMs > longestChangeMs) {
      throw new ServiceFault('failed', `The event source mapping ${UUID} is still ${State}: run the command again.`);
    }
    await wait(pollMs);
  }
};
