import { startConsole } from '../../../ops/console/server/start';
import { connectToStage } from '../../../ops/services/stage-connection';
import { nowMs, type TestStage } from '../ops/operators';

/** A request to the console's API. With a body, it is a POST. */
export interface ConsoleCall {
  readonly body?: object;
}

/** Starts a console of a stage, signs in, and calls its API. */
export const startTestConsole = async (
  { localStateDirectory }: TestStage,
  { write = true, now = () => nowMs } = {},
) => {
  const stage = await connectToStage({ stage: 'dev', localStateDirectory });
  const console = await startConsole({ stage, stageLabel: 'dev', stageCommand: 'pipeline --local', now, write }, 0);
  const { origin } = new URL(console.signInUrl);
  const { headers } = await fetch(console.signInUrl, { redirect: 'manual' });
  const cookie = headers.get('set-cookie')?.replace(/;.*/, '') ?? '';
  return {
    /** @returns the status code, and the parsed document */
    call: async (path: string, { body }: ConsoleCall = {}) => {
      const response = await fetch(`${origin}/api${path}`, {
        headers: { cookie, origin, 'content-type': 'application/json' },
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      });
      return { status: response.status, document: JSON.parse(await response.text()) };
    },

    stop: async (): Promise<void> => {
      await console.stop();
      stage.close();
    },
  };
};

export type TestConsole = Awaited<ReturnType<typeof startTestConsole>>;
