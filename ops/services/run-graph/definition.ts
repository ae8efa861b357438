import * as z from 'zod';
import { parseJson } from '../../../shared/json';
import { ServiceFault } from '../fault';

/** A state of a state machine. */
export interface MachineState {
  /** Its name, which is unique in our state machine. */
  readonly name: string;
  /** As in the Amazon States Language: `Task`, `Choice`, `Pass`, `Wait`, `Parallel`, `Map`, `Succeed`, `Fail`. */
  readonly type: string;
  /** The Map or Parallel that contains it. */
  readonly parent: string | undefined;
}

/** How one state can follow another. `branch`: the first state of a branch or an item. `end`: out of a branch. */
export type TransitionKind = 'next' | 'choice' | 'catch' | 'branch' | 'end';

/** A transition between two states. */
export interface Transition {
  readonly from: string;
  readonly to: string;
  readonly kind: TransitionKind;
}

/** The states of a state machine in the order of their definition, and the transitions between them. */
export interface MachineShape {
  readonly states: readonly MachineState[];
  readonly transitions: readonly Transition[];
}

const targetSchema = z.object({ Next: z.string() });

interface Scope {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

interface State {
  readonly Type: string;
  readonly Next?: string | undefined;
  readonly Default?: string | undefined;
  readonly Choices: readonly { readonly Next: string }[];
  readonly Catch: readonly { readonly Next: string }[];
  readonly Branches: readonly Scope[];
  readonly ItemProcessor?: Scope | undefined;
}

const stateSchema: z.ZodType<State> = z.object({
  Type: z.string(),
  Next: z.string().optional(),
  Default: z.string().optional(),
  Choices: z.array(targetSchema).default([]),
  Catch: z.array(targetSchema).default([]),
  get Branches() {
    return z.array(scopeSchema).default([]);
  },
  get ItemProcessor() {
    return scopeSchema.optional();
  },
});
const scopeSchema: z.ZodType<Scope> = z.object({ StartAt: z.string(), States: z.record(z.string(), stateSchema) });

/**
 * Reads the definition of a state machine.
 *
 * @param definition in the Amazon States Language
 * @throws {ServiceFault} `failed` if it cannot be read
 */
export const readDefinition = (definition: string): MachineShape => {
  const parsed = scopeSchema.safeParse(parseJson(definition));
  if (!parsed.success) throw new ServiceFault('failed', 'The definition of the state machine cannot be read.');
  const states: MachineState[] = [];
  const transitions: Transition[] = [];

  /** @param exits where the states go that end this scope */
  const visit = (scope: Scope, parent: string | undefined, exits: readonly string[]): void => {
    for (const [name, state] of Object.entries(scope.States)) {
      states.push({ name, type: state.Type, parent });
      const add = (kind: TransitionKind, targets: readonly (string | undefined)[]): void => {
        for (const to of targets) if (to !== undefined) transitions.push({ from: name, to, kind });
      };
      const after = state.Next === undefined ? exits : [state.Next];
      const scopes = [...state.Branches, ...(state.ItemProcessor ? [state.ItemProcessor] : [])];
      const isEnd = state.Type !== 'Choice' && state.Next === undefined;
      if (scopes.length === 0)
        add(
          isEnd ? 'end' : 'next',
          after.filter(() => state.Type !== 'Choice'),
        );
      add('choice', [...state.Choices.map(({ Next }) => Next), state.Default]);
      add('catch', [...new Set(state.Catch.map(({ Next }) => Next))]);
      add(
        'branch',
        scopes.map(({ StartAt }) => StartAt),
      );
      for (const inner of scopes) visit(inner, name, after);
    }
  };
  visit(parsed.data, undefined, []);
  return { states, transitions };
};
