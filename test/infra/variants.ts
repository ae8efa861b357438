import type { Config, Stage } from '../../lib/config';

/** The release that is deployed. */
export const release = { version: '1.2.3', commitSha: '0123456789abcdef0123456789abcdef01234567' };

interface Variant extends Partial<Config> {
  readonly stage: Stage;
}

/** The stages as they are deployed, one with another log level, and one with paused parts. */
export const variants = {
  dev: { stage: 'dev' },
  staging: { stage: 'staging' },
  prod: { stage: 'prod' },
  debug: { stage: 'dev', logLevel: 'DEBUG' },
  paused: { stage: 'prod', paused: ['download', 'sync'] },
} as const satisfies Readonly<Record<string, Variant>>;
