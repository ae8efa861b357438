import type { Command } from 'commander';
import { connectToStage, type StageConnection } from '../services/stage-connection';
import { type InputRules, readInput } from './input';
import { createTerminal, type Surroundings, type Terminal } from './terminal';

/** What a verb has besides its input: where its words go, Ctrl-C, and the time. */
export interface Desk {
  readonly terminal: Terminal;
  readonly interruptible: Surroundings['interruptible'];
  readonly now: Surroundings['now'];
  readonly temporaryDirectory: string;
}

/** A verb at work on a stage. */
export interface Session extends Desk {
  readonly stage: StageConnection;
  /** How a person calls the stage. */
  readonly stageLabel: string;
}

/** What a command does with what was typed. */
export interface Verb<Input> extends InputRules<Input> {
  /** @returns the exit code */
  readonly run: (input: Input, session: Session) => Promise<number>;
  /** @returns the exit code, or nothing for an input that needs a stage */
  readonly runOffline?: (input: Input, desk: Desk) => Promise<number> | undefined;
}

/** Gives a command its action: it reads what was typed, finds the stage, and runs the verb. */
export type Attach = <Input>(command: Command, verb: Verb<Input>) => void;

/** @param finish takes the exit code of the verb that ran */
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
        finish(await verb.run(input, { ...desk, stage, stageLabel }));
      } finally {
        stage.close();
      }
    });
  };
