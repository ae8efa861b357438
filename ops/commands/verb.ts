import type { Command } from 'commander';
import { openStage, type Stage } from '../services/stage';
import { type InputRules, readInput } from './input';
import { createTerminal, type Surroundings, type Terminal } from './terminal';

/** A verb at work: the stage that it works on, and where its words go. */
export interface Session {
  readonly stage: Stage;
  /** How a person calls the stage. */
  readonly stageLabel: string;
  readonly terminal: Terminal;
  readonly interruptible: Surroundings['interruptible'];
  readonly now: Surroundings['now'];
}

/** What a command does with what was typed. */
export interface Verb<Input> extends InputRules<Input> {
  /** @returns the exit code */
  readonly run: (input: Input, session: Session) => Promise<number>;
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
      const stage = await openStage({
        stage: global.stage,
        region: global.region,
        localStateDirectory: global.local ? surroundings.localStateDirectory : undefined,
      });
      try {
        const exitCode = await verb.run(input, {
          stage,
          stageLabel: stage.local ? `${stage.name} on this machine` : stage.name,
          terminal: createTerminal(surroundings, global.json),
          interruptible: surroundings.interruptible,
          now: surroundings.now,
        });
        finish(exitCode);
      } finally {
        stage.close();
      }
    });
  };
