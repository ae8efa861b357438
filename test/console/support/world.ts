import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type BrowserServer, chromium } from 'playwright-core';
import * as z from 'zod';
import { plainEnvironment, startCommand } from '../../support/start-command';
import { findChromium } from './chromium';

const root = join(__dirname, '../../..');
const orders = 120;

const signedInSchema = z.object({
  /** `http://127.0.0.1:<port>` */
  origin: z.string(),
  cookie: z.object({ name: z.string(), value: z.string() }),
});

/** A console, and the cookie of its session. */
export type SignedIn = z.output<typeof signedInSchema>;

const worldSchema = z.object({
  /** Where the browser listens. */
  browser: z.string(),
  stateDirectory: z.string(),
  /** The console of `npm start`, which may change the stage. */
  console: signedInSchema,
  /** A console of the same stage that is read-only. */
  readOnly: signedInSchema,
});

/** What the tests use: a pipeline on this machine after a day of orders and both sync jobs, two consoles, a browser. */
export type ConsoleWorld = z.output<typeof worldSchema>;

/** Starts a program, and waits for lines of its output. @returns the first match of each pattern */
const startProgram = async (args: readonly string[], patterns: readonly RegExp[]) => {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const found = new Map<RegExp, string>();
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      for (const pattern of patterns) {
        const match = pattern.exec(line);
        if (match) found.set(pattern, match[0]);
      }
      if (found.size === patterns.length) resolve();
    });
    child.once('exit', () => reject(new Error(`It did not start: ${args.join(' ')}`)));
  });
  return { child, matches: patterns.map((pattern) => found.get(pattern) ?? '') };
};

/** Exchanges the token of a printed address for the cookie. */
const signIn = async (signInUrl: string): Promise<SignedIn> => {
  const { headers } = await fetch(signInUrl, { redirect: 'manual' });
  const [, name = '', value = ''] = /^([^=]+)=([^;]+);/.exec(headers.get('set-cookie') ?? '') ?? [];
  return { origin: new URL(signInUrl).origin, cookie: { name, value } };
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
};

const signInPattern = /http:\/\/127\.0\.0\.1:\d+\/sign-in\?token=\S+/;

/** Starts everything. */
export const startConsoleWorld = async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'console-'));
  const running: ChildProcess[] = [];
  let browser: BrowserServer | undefined;
  const stop = async (): Promise<void> => {
    await browser?.close();
    for (const child of running.reverse()) await end(child);
    rmSync(stateDirectory, { recursive: true, force: true });
  };
  try {
    const [, ...args] = startCommand;
    const start = await startProgram(
      [...args, '--orders', String(orders), '--state', stateDirectory],
      [signInPattern, /^It stays up/],
    );
    running.push(start.child);
    const readOnly = await startProgram(
      ['--import', 'tsx', join(root, 'bin/pipeline.ts'), 'console', '--state', stateDirectory],
      [signInPattern],
    );
    running.push(readOnly.child);
    browser = await chromium.launchServer({ executablePath: findChromium(), headless: true });
    const world: ConsoleWorld = {
      browser: browser.wsEndpoint(),
      stateDirectory,
      console: await signIn(start.matches[0] ?? ''),
      readOnly: await signIn(readOnly.matches[0] ?? ''),
    };
    return { world, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** Passes the world to the test files. */
export const announceWorld = (world: ConsoleWorld): void => {
  process.env.CONSOLE_WORLD = JSON.stringify(world);
};

/** The world of the tests. */
export const readWorld = (): ConsoleWorld => worldSchema.parse(JSON.parse(process.env.CONSOLE_WORLD ?? 'null'));
