import { Hono } from 'hono';
import { version } from '../../../../package.json';
import type { Console } from '../console';

/** `/api/session`: the stage, and what the console may do with it. */
export const sessionRoutes = ({ stage, stageLabel, stageCommand, write }: Console) =>
  new Hono().get('/', (c) =>
    c.json({
      stage: stage.name,
      label: stageLabel,
      local: stage.local,
      write,
      version,
      /** The beginning of a command that does the same: `pipeline --stage prod`. */
      command: stageCommand,
    }),
  );
