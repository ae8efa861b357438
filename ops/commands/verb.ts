import type { Command } from 'commander';
import { connectToStage, type StageConnection } from '../services/stage-connection';
import { type InputRules, readInput } from './input';
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

/** Sets the action of a command: parse the input, connect to the stage, run the verb. */
export type Attach = <Input>(command: Command, verb: Verb<Input>) => void;

/** @param finish receives the exit code of the verb */
export const createAttach =
  (surroundings: Surroundings, finish: (exitCode: number) => void): Attach =>
  (command, verb) => {
    command.action(async () => {
      const argumentNames = command.registeredArguments.map((argument) => argument.name());
      const typed = Object.fromEntries(argumentNames.map((name, index) => [name, command.processedArgs[index]]));
      const { global, input } = readInput(verb, { ...command.optsWithGlobals(), ...typed }, argumentNames);
      const { interruptible, now, temporaryDirectory } = surroundings;
      const desk = { terminal: createTerminal(surroundings, global.json), interruptible, now, temporaryDirectory };
      const offline = verb.runOffline?.(input, desk);
      if (offline !== undefined) return finish(await offline);
      const stage = await connectToStage({
        stage: global.stage,
        region: global.region,
        localStateDirectory: global.state ?? (global.local ? surroundings.localStateDirectory : undefined),
      });
      try {
        const stageLabel = stage.local ? `${stage.name} on this machine` : stage.name;
        finish(await verb.run(input, { ...desk, stage, stageLabel, stageCommand: stageCommandOf(global) }));
      } finally {
        stage.close();
      }
    });
  };
