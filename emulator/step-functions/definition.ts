import * as z from 'zod';
import type { Application } from '../application';
import { arnOf } from '../resource-types';

const machineSchema = z.object({
  DefinitionString: z.string(),
  StateMachineType: z.literal('STANDARD').default('STANDARD'),
  RoleArn: z.string(),
  DefinitionS3Location: z.never().optional(),
  DefinitionSubstitutions: z.never().optional(),
});

/** The part of the language that this file reads. The library checks the whole definition when it first runs it. */
const statesSchema = z.record(z.string(), z.looseObject({ Type: z.string(), Resource: z.string().optional() }));
const definitionSchema = z.looseObject({
  StartAt: z.string(),
  States: statesSchema,
  TimeoutSeconds: z.number().optional(),
});
export type Definition = z.infer<typeof definitionSchema>;

/** A state machine that the application declares. */
export interface Machine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** The definition in the response to `DescribeStateMachine`. */
  readonly definitionText: string;
  readonly definition: Definition;
  /** Every task at any depth: state → resource. */
  readonly tasks: ReadonlyMap<string, string>;
  /** The distributed Maps, with their labels. */
  readonly distributedMaps: ReadonlyMap<string, string>;
  /** The states of child executions, with their distributed Map. They are not in the history of their parent. */
  readonly childStates: ReadonlyMap<string, string>;
}

/** Fields that the library ignores or misreads. */
const unsupportedFields = [
  'Assign',
  'QueryLanguage',
  'Arguments',
  'Output',
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'ToleratedFailureCount',
  'ToleratedFailurePercentage',
  'HeartbeatSeconds',
  'HeartbeatSecondsPath',
  'Credentials',
];
const lambdaArn = /^arn:aws:lambda:[^:]+:\d+:function:[^:]+$/;
const lambdaInvoke = 'arn:aws:states:::lambda:invoke';

/**
 * Reads the state machines of the application.
 * @throws {Error} for a definition that would run differently than on AWS
 */
export const readStateMachines = (application: Application): Machine[] =>
  application.resources(['AWS::StepFunctions::StateMachine'], machineSchema).map(({ name, properties }) => {
    const { DefinitionString: definitionText, RoleArn: roleArn } = properties;
    const definition = definitionSchema.parse(JSON.parse(definitionText));
    const faults: string[] = [];
    const tasks = new Map<string, string>();
    visitStates(definition, '', (path, stateName, state) => {
      const fields = unsupportedFields.filter((field) => field in state);
      faults.push(...fields.map((field) => `${path}: ${field} is not supported here`));
      if (state.Type !== 'Task') {
        return;
      }
      const resource = state.Resource ?? '';
      if (!lambdaArn.test(resource) && resource !== lambdaInvoke) {
        faults.push(`${path}: only Lambda functions can be tasks here, without a task token, not ${resource}`);
      }
      if (tasks.has(stateName)) {
        faults.push(`${path}: several tasks have this name`);
      }
      tasks.set(stateName, resource);
    });
    if ('QueryLanguage' in definition) {
      faults.push('QueryLanguage is not supported here');
    }
    if (faults.length > 0) {
      throw new Error(`The state machine ${name} uses unsupported features:\n  ${faults.join('\n  ')}`);
    }
    return {
      name,
      arn: arnOf('states', `stateMachine:${name}`),
      roleArn,
      definitionText,
      tasks,
      definition: inlineMaps(definition),
      ...distributedMapsOf(definition),
    };
  });

const nestedSchema = z.object({
  Branches: z.array(definitionSchema).default([]),
  Iterator: definitionSchema.optional(),
  ItemProcessor: definitionSchema.optional(),
  Label: z.string().optional(),
});
const processorSchema = z.object({
  ItemProcessor: z.object({ ProcessorConfig: z.object({ Mode: z.string() }).partial() }).partial(),
});

/**
 * Runs the items of a distributed Map in the execution itself, because the library has no child executions. A state
 * cannot tell the difference, except by the name and the id of its execution in the context.
 */
const inlineMaps = (definition: Definition): Definition =>
  definitionSchema.parse(
    JSON.parse(JSON.stringify(definition), (key: string, value: unknown) => {
      if (key === 'ProcessorConfig') return { Mode: 'INLINE' };
      return key === 'Label' ? undefined : value;
    }),
  );

const distributedMapsOf = (definition: Definition): Pick<Machine, 'distributedMaps' | 'childStates'> => {
  const distributedMaps = new Map<string, string>();
  const childStates = new Map<string, string>();
  visitStates(definition, '', (_path, mapState, state) => {
    const { ItemProcessor, Label = mapState } = nestedSchema.parse(state);
    if (processorMode(state) !== 'DISTRIBUTED' || !ItemProcessor) return;
    distributedMaps.set(mapState, Label);
    visitStates(ItemProcessor, '', (_childPath, name) => childStates.set(name, mapState));
  });
  return { distributedMaps, childStates };
};

const processorMode = (state: unknown): string | undefined =>
  processorSchema.safeParse(state).data?.ItemProcessor.ProcessorConfig?.Mode;

const visitStates = (
  { States }: Definition,
  parent: string,
  visit: (path: string, name: string, state: Definition['States'][string]) => void,
): void => {
  for (const [name, state] of Object.entries(States)) {
    const path = `${parent}${name}`;
    visit(path, name, state);
    const { Branches, Iterator, ItemProcessor } = nestedSchema.parse(state);
    for (const nested of [...Branches, Iterator, ItemProcessor]) {
      if (nested) {
        visitStates(nested, `${path} / `, visit);
      }
    }
  }
};
