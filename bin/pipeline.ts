#!/usr/bin/env tsx
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../ops/commands/program';

/** The first Ctrl-C ends the work in an orderly way, the second one ends the process. */
const interruptible = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once('SIGINT', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
};

// The reader of a pipe may stop early, as `head` does.
process.stdout.on('error', () => process.exit());

// `npm start` runs the console, and may be killed before it.
process.once('disconnect', () => process.exit());

run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  localStateDirectory: path.join(__dirname, '..', '.local'),
  temporaryDirectory: tmpdir(),
  now: Date.now,
  interruptible,
}).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
