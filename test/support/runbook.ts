import { readFileSync } from 'node:fs';

/** The values of the placeholders in a command: `order id` → `QO-1` for `<order id>`. */
export type Placeholders = Readonly<Record<string, string>>;

const runbookText = () => readFileSync('docs/runbook.md', 'utf8');
const blockPattern = /^```\w*\n(.*?)^```$/gms;

/** The anchor that GitHub gives a heading. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');

/** Every `npx pipeline` command of the runbook, in code blocks and in the text. */
export const readRunbookCommands = (): string[] =>
  [...runbookText().matchAll(/^npx pipeline .*$|(?<=`)npx pipeline [^`]*/gm)].map(([command]) => command);

/** The lines of the code blocks under a heading. */
export interface RunbookBlocks {
  /** How to look: before the cause is removed. */
  readonly look: readonly string[];
  /** How to fix: after the cause is removed. */
  readonly fix: readonly string[];
}

const linesOf = (text: string): string[] =>
  [...text.matchAll(blockPattern)].flatMap(([, lines = '']) => lines.trimEnd().split('\n'));

/** The code blocks under each heading of the runbook, by the heading's anchor. */
export const readRunbookBlocks = (): ReadonlyMap<string, RunbookBlocks> =>
  new Map(
    runbookText()
      .split(/^#+ (?=.+$)/m)
      .map((section) => {
        const [heading = ''] = section.split('\n');
        const [look = '', ...fix] = section.slice(heading.length).split('**How to fix.**');
        return [anchorOf(heading), { look: linesOf(look), fix: linesOf(fix.join('\n')) }];
      }),
  );

/**
 * Splits a `npx pipeline …` command into its arguments, like a shell, with the placeholders filled.
 *
 * @throws {Error} for another command, or a placeholder without a value
 */
export const argumentsOf = (command: string, placeholders: Placeholders): string[] => {
  const filled = command.replaceAll('…', '').replace(/<([^>]+)>/g, (_whole, name: string) => {
    const value = placeholders[name];
    if (value === undefined) throw new Error(`There is no value for the placeholder <${name}>: ${command}`);
    return value;
  });
  const words = [...filled.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
  if (words.slice(0, 2).join(' ') !== 'npx pipeline') throw new Error(`This is not a command of pipeline: ${command}`);
  return words.slice(2);
};
