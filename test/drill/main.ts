import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { createProgress } from '../../local/start/progress';
import { synthesize } from '../../local/start/synthesize';
import { drilledStage } from './drilled-stage';
import { drills } from './drills';
import { describe, havePassed } from './report';
import { type DrillResult, runDrill } from './run-drill';
import { startDrillStage } from './stage';

const main = async (alarms: readonly string[], { show }: { readonly show: boolean }): Promise<number> => {
  const known = drills.flatMap((drill) => Object.keys(drill.alarms));
  const unknown = alarms.filter((alarm) => !known.includes(alarm));
  if (unknown.length > 0)
    throw new Error(`There is no drill for ${unknown.join(', ')}. Choose from:\n${known.join('\n')}`);
  const chosen = drills.filter(
    (drill) => alarms.length === 0 || Object.keys(drill.alarms).some((name) => alarms.includes(name)),
  );
  const assemblyDirectory = synthesize(
    () => process.stdout.write('Synthesizing: the sources changed …\n'),
    drilledStage,
  );
  const stateDirectory = mkdtempSync(path.join(tmpdir(), 'drill-'));
  const onProgress = createProgress(process.stdout).activity();
  const results: DrillResult[] = [];
  try {
    const stage = await startDrillStage(assemblyDirectory, stateDirectory);
    try {
      for (const [index, drill] of chosen.entries()) {
        const names = Object.keys(drill.alarms).join(', ');
        onProgress(`drill ${index + 1} of ${chosen.length}: ${names}`);
        results.push(...(await runDrill(stage, drill)));
      }
    } finally {
      await stage.stop();
    }
  } finally {
    onProgress('');
    rmSync(stateDirectory, { recursive: true, force: true });
  }
  if (show) for (const { alarm, transcript } of results) process.stdout.write(`--- ${alarm}\n${transcript}\n`);
  process.stdout.write(`${describe(results)}\n`);
  return havePassed(results) ? 0 : 1;
};

new Command('npm run drill --')
  .description(
    'Raises every alarm by breaking what it watches, follows its runbook heading, removes the cause, and waits for the recovery.',
  )
  .argument('[alarms...]', 'names of alarms, without the stage; default: all')
  .option('--show', 'also print the runbook commands and their output', false)
  .action(async (alarms: string[], options: { readonly show: boolean }) => {
    process.exitCode = await main(alarms, options);
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = 1;
  });
