import type { Command } from 'commander';
import { type ActionSubject, recordChange } from '../services/actions';
import { connectToStage, type StageConnection } from '../services/stage-connection';
import { exitCodes } from './exit-codes';
import { type GlobalOptions, type InputRules, type RawInput, readInput, reasonFaults } from './input';
import { stageCommandOf } from './stage-command';
import { createTerminal, type Surroundings, type Terminal } from './terminal';

/** What a verb needs besides its input and a stage: output, Ctrl-C, the time, a folder for files. */
export interface Desk {
  readonly terminal: Terminal;
  readonly interruptible: Surroundings['interruptible'];
  readonly now: Surroundings['now'];
  readonly temporaryDirectory: string;
}

/** A verb's connection to a stage, and everything in {@link Desk}. */
export interface Session extends Desk {
  readonly stage: StageConnection;
  /** The name of the stage in texts. */
  readonly stageLabel: string;
  /** The beginning of a command on the same stage, for commands to copy. */
  readonly stageCommand: string;
}

/** The implementation of a command. */
export interface Verb<Input> extends InputRules<Input> {
  /** @returns the exit code */
  readonly run: (input: Input, session: Session) => Promise<number>;
  /** @returns the exit code; undefined if the input needs a stage */
  readonly runOffline?: (input: Input, desk: Desk) => Promise<number> | undefined;
}

/** A session of a verb that changes something. */
export interface ChangingSession extends Session {
  /** Why the operator acts. */
  readonly reason: string;
  /**
   * Call it before the first change. The action is then recorded with its outcome when the verb ends. A verb that changes
   * nothing, such as one whose question was answered with no, does not call it.
   *
   * @returns the caller's ARN
   */
  readonly beginChange: (subject: ActionSubject) => Promise<string>;
}

/** The implementation of a command that changes something. */
export interface ChangingVerb<Input> extends InputRules<Input> {
  /** @returns the exit code */
  readonly run: (input: Input, session: ChangingSession) => Promise<number>;
  /** @returns the exit code; undefined if the input needs a stage */
  readonly runOffline?: (input: Input, desk: Desk) => Promise<number> | undefined;
  /** Whether the typed options make it an action that needs a reason. Default: always. */
  readonly needsReason?: (raw: RawInput) => boolean;
}

/** Sets the action of a command: parse the input, connect to the stage, run the verb. */
export interface Attach {
  <Input>(command: Command, verb: Verb<Input>): void;
  /** The same for a verb that changes something: adds `--reason`, and records who did what. */
  readonly changing: <Input>(command: Command, verb: ChangingVerb<Input>) => void;
}

/** @param finish receives the exit code of the verb */
export const createAttach = (surroundings: Surroundings, finish: (exitCode: number) => void): Attach => {
  const attach = <Input>(command: Command, verb: Verb<Input>): void => {
    command.action(async () => {
      const { global, input } = readInput(verb, ...typedOf(command));
      const desk = deskOf(surroundings, global);
      const offline = verb.runOffline?.(input, desk);
      if (offline !== undefined) return finish(await offline);
      await withSession(surroundings, global, desk, async (session) => finish(await verb.run(input, session)));
    });
  };
  const changing = <Input>(command: Command, verb: ChangingVerb<Input>): void => {
    command
      .option('--reason <text>', 'why; recorded with your name. Required, except with --local')
      .action(async () => {
        const rules = (raw: RawInput) => [
          ...(verb.rules?.(raw) ?? []),
          ...((verb.needsReason?.(raw) ?? true) ? reasonFaults(raw) : []),
        ];
        const [raw, argumentNames] = typedOf(command);
        const { global, input } = readInput({ ...verb, rules }, raw, argumentNames);
        const reason = String(raw.reason ?? 'local').trim();
        const desk = deskOf(surroundings, global);
        const offline = verb.runOffline?.(input, desk);
        if (offline !== undefined) return finish(await offline);
        await withSession(surroundings, global, desk, async (session) =>
          finish(
            await runRecorded(nameOf(command), reason, session, (changingSession) => verb.run(input, changingSession)),
          ),
        );
      });
  };
  return Object.assign(attach, { changing });
};

/** The typed arguments and options, and the names of the arguments. */
const typedOf = (command: Command): [RawInput, string[]] => {
  const argumentNames = command.registeredArguments.map((argument) => argument.name());
  const typed = Object.fromEntries(argumentNames.map((name, index) => [name, command.processedArgs[index]]));
  return [{ ...command.optsWithGlobals(), ...typed }, argumentNames];
};

/** The words of a command: `orders replay`. */
const nameOf = (command: Command): string => {
  const { parent } = command;
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name();
};

const deskOf = (surroundings: Surroundings, { json }: GlobalOptions): Desk => {
  const { interruptible, now, temporaryDirectory } = surroundings;
  return { terminal: createTerminal(surroundings, json), interruptible, now, temporaryDirectory };
};

const withSession = async (
  { localStateDirectory }: Surroundings,
  global: GlobalOptions,
  desk: Desk,
  work: (session: Session) => Promise<void>,
): Promise<void> => {
  const stage = await connectToStage({
    stage: global.stage,
    region: global.region,
    localStateDirectory: global.state ?? (global.local ? localStateDirectory : undefined),
  });
  try {
    const stageLabel = stage.local ? `${stage.name} on this machine` : stage.name;
    await work({ ...desk, stage, stageLabel, stageCommand: stageCommandOf(global) });
  } finally {
    stage.close();
  }
};

const outcomes: Readonly<Record<number, string>> = { [exitCodes.done]: 'done', [exitCodes.aborted]: 'interrupted' };

/** Runs a verb that changes something, and records its action, also when it fails. */
const runRecorded = (
  verb: string,
  reason: string,
  session: Session,
  run: (session: ChangingSession) => Promise<number>,
): Promise<number> =>
  recordChange(session.stage, { verb, reason }, session.now, async (beginChange) => {
    const exitCode = await run({ ...session, reason, beginChange });
    return { outcome: outcomes[exitCode] ?? 'failed', result: exitCode };
  });
