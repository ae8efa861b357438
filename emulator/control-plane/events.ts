import * as z from 'zod';
import type { Application } from '../application';
import { type Action, action, type JsonService, ServiceError } from '../json-service';
import type { Overrides } from '../overrides';
import { arnOf } from '../resource-types';

export const eventBridge: JsonService = {
  name: 'EventBridge',
  targetPrefix: 'AWSEvents',
  version: '1.1',
  validationError: 'ValidationException',
  tokenError: 'ValidationException',
};

const ruleSchema = z.object({
  Description: z.string().optional(),
  ScheduleExpression: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Targets: z.array(z.object({ Arn: z.string() })).default([]),
});

/** Creates the actions on the rules of an application that find, describe, disable and enable them. */
export const createRuleActions = (application: Application, overrides: Overrides): Readonly<Record<string, Action>> => {
  const rules = application
    .resources(['AWS::Events::Rule'], ruleSchema)
    .map(({ name, properties: { Targets, State, ...described } }) => ({
      name,
      described,
      isDeclaredOn: State === 'ENABLED',
      targets: Targets.map(({ Arn }) => Arn),
    }));
  const ruleAt = (name: string) => {
    const rule = rules.find((one) => one.name === name);
    if (rule) return rule;
    throw new ServiceError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`);
  };
  const switchTo = (on: boolean) =>
    action({ Name: z.string() }, ({ Name }) => {
      overrides.write(Name, ruleAt(Name).isDeclaredOn, on);
      return {};
    });

  return {
    ListRuleNamesByTarget: action({ TargetArn: z.string() }, ({ TargetArn }) => ({
      RuleNames: rules.filter(({ targets }) => targets.includes(TargetArn)).map(({ name }) => name),
    })),
    DescribeRule: action({ Name: z.string() }, ({ Name }) => {
      const { described, isDeclaredOn } = ruleAt(Name);
      const State = overrides.read(Name, isDeclaredOn) ? 'ENABLED' : 'DISABLED';
      return { Name, Arn: arnOf('events', `rule/${Name}`), State, ...described };
    }),
    EnableRule: switchTo(true),
    DisableRule: switchTo(false),
  };
};
