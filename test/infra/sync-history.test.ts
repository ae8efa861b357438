import * as z from 'zod';
import { resources, synthesize } from './synth';

/** Step Functions ends an execution whose history reaches this number of events. */
const maxEvents = 25_000;

const choiceSchema = z.object({
  Variable: z.string(),
  IsPresent: z.boolean().optional(),
  BooleanEquals: z.boolean().optional(),
  Next: z.string(),
});
interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}
interface State {
  readonly Type: string;
  readonly Next?: string | undefined;
  readonly Default?: string | undefined;
  readonly SecondsPath?: string | undefined;
  readonly ResultPath?: string | undefined;
  readonly OutputPath?: string | undefined;
  readonly ItemsPath?: string | undefined;
  readonly Choices?: readonly z.output<typeof choiceSchema>[] | undefined;
  readonly Branches?: readonly Definition[] | undefined;
  readonly ItemProcessor?: (Definition & { readonly ProcessorConfig: { readonly Mode: string } }) | undefined;
}
const stateSchema: z.ZodType<State> = z.lazy(() =>
  z.object({
    Type: z.string(),
    Next: z.string().optional(),
    Default: z.string().optional(),
    SecondsPath: z.string().optional(),
    ResultPath: z.string().optional(),
    OutputPath: z.string().optional(),
    ItemsPath: z.string().optional(),
    Choices: z.array(choiceSchema).optional(),
    Branches: z.array(definitionSchema).optional(),
    ItemProcessor: definitionSchema.extend({ ProcessorConfig: z.object({ Mode: z.string() }) }).optional(),
  }),
);
const definitionSchema = z.object({ StartAt: z.string(), States: z.record(z.string(), stateSchema) });

/** The definition. References to Lambdas are replaced by a name. */
const definition = (() => {
  const [machine] = resources(synthesize('prod').syncJobs, 'AWS::StepFunctions::StateMachine');
  const pieces = z
    .object({ DefinitionString: z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) }) })
    .parse(machine?.Properties).DefinitionString['Fn::Join'][1];
  return definitionSchema.parse(
    JSON.parse(pieces.map((piece) => (typeof piece === 'string' ? piece : 'lambda')).join('')),
  );
})();

const at = (data: unknown, path: string): unknown =>
  path
    .split('.')
    .slice(1)
    .reduce<unknown>((value, key) => z.record(z.string(), z.unknown()).safeParse(value).data?.[key], data);

const chosen = (state: State, data: unknown): string | undefined =>
  state.Choices?.find(({ Variable, IsPresent, BooleanEquals }) =>
    IsPresent === undefined ? at(data, Variable) === BooleanEquals : (at(data, Variable) !== undefined) === IsPresent,
  )?.Next ?? state.Default;

interface Execution {
  events: number;
  /** Each execution has its own clock: they run side by side. */
  nowMs: number;
}
type RunTask = (name: string, execution: Execution) => object;

/** Events of a state's history, without those of the states in it: entered, exited, and what its type adds. */
const eventsOf = (type: string): number => {
  // Scheduled, started and succeeded; twice more, as if each turn was retried once.
  if (type === 'Task') return 2 + 3 * 2;
  return type === 'Map' || type === 'Parallel' ? 4 : 2;
};

/** Runs a definition on a fake clock, and counts the events of each execution that it takes. */
const run = (
  machine: Definition,
  input: unknown,
  runTask: RunTask,
  execution: Execution,
  all: Execution[],
): unknown => {
  let data = input;
  for (let name: string | undefined = machine.StartAt; name !== undefined; ) {
    const state: State | undefined = machine.States[name];
    if (state === undefined) throw new Error(`There is no state ${name}`);
    execution.events += eventsOf(state.Type);
    const keep = (result: unknown): void => {
      const key = state.ResultPath?.replace('$.', '');
      data = key === undefined ? result : { ...Object(data), [key]: result };
    };
    if (state.Type === 'Task') keep(runTask(name, execution));
    if (state.Type === 'Wait') execution.nowMs += Number(at(data, state.SecondsPath ?? '')) * 1_000;
    if (state.OutputPath !== undefined) data = at(data, state.OutputPath);
    if (state.Branches !== undefined) {
      const start = { ...execution };
      const branches = state.Branches.map((branch) => {
        const own = { ...start };
        const result = run(branch, data, runTask, own, all);
        execution.events += own.events - start.events;
        execution.nowMs = Math.max(execution.nowMs, own.nowMs);
        return result;
      });
      keep(branches);
    }
    if (state.ItemProcessor !== undefined) {
      const { ItemProcessor: processor } = state;
      const items = z.array(z.string()).parse(at(data, state.ItemsPath ?? ''));
      const isDistributed = processor.ProcessorConfig.Mode === 'DISTRIBUTED';
      const start = execution.nowMs;
      for (const portal of items) {
        const child: Execution = { events: isDistributed ? 2 : 0, nowMs: start };
        if (isDistributed) all.push(child);
        run(processor, { run: data, portal }, runTask, child, all);
        // An iteration has a start and an end.
        if (!isDistributed) execution.events += child.events + 2;
        execution.nowMs = Math.max(execution.nowMs, child.nowMs);
      }
      keep({ portals: [] });
    }
    name = state.Type === 'Choice' ? chosen(state, data) : state.Next;
  }
  return data;
};

test('with 200 portals that are collected all day, after a wait of six hours, no history comes near its limit', () => {
  const [minuteMs, hourMs] = [60_000, 3_600_000];
  const portals = Array.from({ length: 200 }, (_, index) => `portal-${index}`);
  const begunAtMs = 6 * hourMs;
  const endsAtMs = 24 * hourMs;
  let turns = 0;
  const runTask: RunTask = (name, execution) => {
    if (name === 'PlanRun') {
      if (execution.nowMs < begunAtMs) return { waiting: { seconds: 60, input: {} } };
      return { run_id: 'all-day', netlife: { portals }, iterable: {} };
    }
    if (name === 'FinishRun') return { again: false };
    turns += 1;
    // The longest turn, so that most turns are of the states that collect and send; the others have one each.
    execution.nowMs += 10 * minuteMs;
    const isOver = name !== 'CollectPortal' && name !== 'PushUsers' ? true : execution.nowMs >= endsAtMs - hourMs;
    return { done: isOver, ...(name === 'PushUsers' && !isOver && { wait_seconds: 1 }) };
  };
  const parent: Execution = { events: 2, nowMs: 0 };
  const executions = [parent];
  run(definition, {}, runTask, parent, executions);

  expect(executions).toHaveLength(1 + portals.length);
  expect(turns).toBeGreaterThan(200 * 100);
  expect(parent.nowMs).toBeGreaterThan(22 * hourMs);
  expect(Math.max(...executions.map(({ events }) => events))).toBeLessThan(maxEvents / 2);
});
