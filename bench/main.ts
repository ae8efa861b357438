import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import Table from 'cli-table3';
import colors from 'picocolors';
import { compareWithBar, type Result } from './figure';
import { figureSets } from './registry';

const resultsFile = path.join(__dirname, 'results.json');

const describe = (results: Readonly<Record<string, Result>>): string => {
  const table = new Table({
    head: ['Figure', 'Value', 'Unit', 'Bar', 'Holds'],
    style: { head: [], border: ['gray'] },
    colAligns: ['left', 'right', 'left', 'right', 'left'],
  });
  for (const [name, { value, unit, bar, better, holds }] of Object.entries(results)) {
    const limit = `${better === 'lower' ? '≤' : '≥'} ${bar}`;
    table.push([name, value, unit, limit, holds ? colors.green('yes') : colors.red('no')]);
  }
  return table.toString();
};

/**
 * Measures the figures whose names begin with one of `prefixes`, or all figures if there is none. Prints them, and writes
 * them to `results.json`.
 */
const main = async (prefixes: readonly string[]): Promise<void> => {
  const names = figureSets.flatMap(({ bars }) => Object.keys(bars));
  const unknown = prefixes.find((prefix) => !names.some((name) => name.startsWith(prefix)));
  if (unknown !== undefined) throw new Error(`There is no figure "${unknown}…". The figures are: ${names.join(', ')}`);
  const isWanted = (name: string): boolean =>
    prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
  const sets = figureSets.filter(({ bars }) => Object.keys(bars).some(isWanted));
  process.stdout.write(`Node ${process.version}, ${availableParallelism()} cores\n`);
  const results: Record<string, Result> = {};
  for (const { title, bars, measure } of sets) {
    process.stdout.write(`\n${colors.bold(title)}\n`);
    const note = (line: string) => process.stdout.write(`  ${line}\n`);
    try {
      const values = await measure(note);
      for (const [name, bar] of Object.entries(bars)) {
        const value = values[name];
        if (value !== undefined && isWanted(name)) results[name] = compareWithBar(value, bar);
      }
    } catch (error) {
      // Continue with the other figures. These are missing from the results.
      note(colors.red(`not measured: ${error instanceof Error ? error.stack : String(error)}`));
    }
  }
  process.stdout.write(`\n${describe(results)}\n`);
  writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 2)}\n`);
};

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
