import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { synthesized } from '../bundle';
import type { FigureSet } from '../figure';
import { median, round } from '../statistics';

const runs = 3;
const root = path.join(__dirname, '../..');

/** Runs `npm start -- --once` in a new state folder. @returns the seconds until the first order was processed, and in total */
const runStart = async (): Promise<{ readonly firstOrder: number; readonly total: number }> => {
  const stateDirectory = mkdtempSync(path.join(tmpdir(), 'bench-start-'));
  const startedAtMs = performance.now();
  const seconds = () => (performance.now() - startedAtMs) / 1_000;
  const child = spawn('npm', ['start', '--', '--once', '--state', stateDirectory], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  let firstOrder: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('s  PROCESSED')) firstOrder ??= seconds();
  }
  const [exitCode] = await exit;
  const total = seconds();
  rmSync(stateDirectory, { recursive: true, force: true });
  if (exitCode !== 0 || firstOrder === undefined) throw new Error(`npm start ended with ${exitCode}`);
  return { firstOrder, total };
};

/** How long a newcomer waits: a first order, then a day of 300 orders and both sync jobs. The sources are unchanged. */
export const start: FigureSet<'start_first_order_s' | 'start_total_s'> = {
  title: 'npm start, with unchanged sources',
  bars: {
    start_first_order_s: { unit: 's', bar: 5, better: 'lower' },
    start_total_s: { unit: 's', bar: 20, better: 'lower' },
  },
  measure: async (note) => {
    synthesized();
    const times: Awaited<ReturnType<typeof runStart>>[] = [];
    for (let run = 0; run < runs; run += 1) {
      const time = await runStart();
      note(`first order processed after ${round(time.firstOrder, 2)} s, all after ${round(time.total, 1)} s`);
      times.push(time);
    }
    return {
      start_first_order_s: round(median(times.map(({ firstOrder }) => firstOrder)), 2),
      start_total_s: round(median(times.map(({ total }) => total)), 1),
    };
  },
};
