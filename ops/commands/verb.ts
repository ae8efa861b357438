import type { Command } from 'commander';
import * as z from 'zod';
import { openStage, type Stage } from '../services/stage';
import { type GlobalOptions, globalOptions, type RawInput, readInput } from './input';
import { createTerminal, type Surroundings, type Terminal } from './terminal';

/** A verb at work: the stage that it works on, and where its words go. */
export interface Session {
  readonly stage: Stage;
  /** How a person calls the stage. */
  readonly stageLabel: string;
  readonly terminal: Terminal;
  readonly interruptible: Surroundings['interruptible'];
}

interface Verb<Shape extends z.core.$ZodLooseShape> {
  /** Arguments and options by name. */
  readonly input: Shape;
  /** A sentence for each rule between several inputs that is broken. */
  readonly rules?: (raw: RawInput) => readonly string[];
  /** @returns the exit code */
  readonly run: (input: z.output<z.ZodObject<Shape>>, session: Session) => Promise<number>;
}

/** Gives a command its action: reads what was typed, finds the stage, runs, and leaves the exit code in `finish`. */
export const attach = <Shape extends z.core.$ZodLooseShape>(
  command: Command,
  surroundings: Surroundings,
  finish: (exitCode: number) => void,
  { input, rules, run }: Verb<Shape>,
): void => {
  command.action(async () => {
    const argumentNames = command.registeredArguments.map((argument) => argument.name());
    const positional = Object.fromEntries(argumentNames.map((name, index) => [name, command.processedArgs[index]]));
    const raw = { ...command.optsWithGlobals(), ...positional };
    const global: GlobalOptions & z.output<z.ZodObject<Shape>> = readInput(
      z.object({ ...globalOptions, ...input }),
      raw,
      argumentNames,
      rules,
    );
    const stage = await openStage({
      stage: global.stage,
      region: global.region,
      localStateDirectory: global.local ? surroundings.localStateDirectory : undefined,
    });
    try {
      finish(
        await run(global, {
          stage,
          stageLabel: stage.local ? `${stage.name} on this machine` : stage.name,
          terminal: createTerminal(surroundings, global.json),
          interruptible: surroundings.interruptible,
        }),
      );
    } finally {
      stage.close();
    }
  });
};
