import type { Argument, Command, Option } from 'commander';
import { wordsOf } from './values';

/** What can be typed as a value: some words, a file, or anything else. */
export type Value = readonly string[] | 'file' | 'text';

/** An option of a command. */
export interface CompletedOption {
  /** `-y` and `--yes`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined if it takes none. */
  readonly value: Value | undefined;
}

/** A command, as it can be completed. */
export interface CompletedCommand {
  /** The words after `pipeline`, each after a space: ` orders replay`. */
  readonly at: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly arguments: readonly Value[];
  /** Its own options and those of every command. */
  readonly options: readonly CompletedOption[];
}

const optionOf = (option: Option): CompletedOption => {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined && flag !== null);
  const isFile = /[<[](file|folder)[>\]]/.test(option.flags);
  const takesValue = option.required || option.optional;
  const value = wordsOf[option.long ?? ''] ?? (isFile ? 'file' : 'text');
  return { flags, description: option.description, value: takesValue ? value : undefined };
};

const argumentOf = (argument: Argument): Value => wordsOf[argument.name()] ?? 'text';

const help: CompletedOption = { flags: ['-h', '--help'], description: 'show the help', value: undefined };

/** Lists a command and everything below it. */
export const listCommands = (
  command: Command,
  at = '',
  inherited: readonly CompletedOption[] = [],
): CompletedCommand[] => {
  const own = command.options.map(optionOf);
  const global = at === '' ? own.filter(({ flags }) => !flags.includes('--version')) : inherited;
  return [
    {
      at,
      commands: command.commands.map((child) => ({ name: child.name(), description: child.description() })),
      arguments: command.registeredArguments.map(argumentOf),
      options: [...own, ...(at === '' ? [] : global), help],
    },
    ...command.commands.flatMap((child) => listCommands(child, `${at} ${child.name()}`, global)),
  ];
};
