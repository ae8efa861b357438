import { join } from 'node:path';

const root = join(__dirname, '../..');

/** The command that `npm start` runs. */
export const startCommand: readonly [program: string, ...args: string[]] = [
  process.execPath,
  ...['--require', join(root, 'local/start/boot.cjs'), '--import', 'tsx', join(root, 'local/start/main.ts')],
];

/**
 * The environment of a program whose output a test reads: without what makes it print colours to a pipe. CI sets one of
 * them, and jest another one.
 */
export const plainEnvironment = (): NodeJS.ProcessEnv => {
  const { CI: _ci, FORCE_COLOR: _color, ...environment } = process.env;
  return environment;
};
