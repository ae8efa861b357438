import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import Table from 'cli-table3';
import colors from 'picocolors';
import { judge, type Result } from './figure';
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

/** Measures every figure whose name begins with `prefix`, prints them, and writes them to `results.json`. */
const main = async (prefix: string): Promise<void> => {
  const sets = figureSets.filter(({ bars }) => Object.keys(bars).some((name) => name.startsWith(prefix)));
  if (sets.length === 0) process.stdout.write(`There is no figure "${prefix}…".\n`);
  process.stdout.write(`Node ${process.version}, ${availableParallelism()} cores\n`);
  const results: Record<string, Result> = {};
  for (const { title, bars, measure } of sets) {
    process.stdout.write(`\n${colors.bold(title)}\n`);
    const note = (line: string) => process.stdout.write(`  ${line}\n`);
    try {
      const values = await measure(note);
      for (const [name, bar] of Object.entries(bars)) {
        const value = values[name];
        if (value !== undefined && name.startsWith(prefix)) results[name] = judge(value, bar);
      }
    } catch (error) {
      // Continue with the other figures. These are missing from the results.
      note(colors.red(`not measured: ${error instanceof Error ? error.stack : String(error)}`));
    }
  }
  process.stdout.write(`\n${describe(results)}\n`);
  writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 2)}\n`);
};

void main(process.argv[2] ?? '');
