import { join } from 'node:path';

const root = join(__dirname, '../..');

/** The command that `npm start` runs. */
export const startCommand: readonly [program: string, ...args: string[]] = [
  process.execPath,
  ...['--require', join(root, 'local/start/boot.cjs'), '--import', 'tsx', join(root, 'local/start/main.ts')],
];
