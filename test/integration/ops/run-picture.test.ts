import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SFNClient } from '@aws-sdk/client-sfn';
import { startStepFunctionsApi } from '../../../emulator/step-functions/api';
import { openExecutionStore } from '../../../emulator/step-functions/execution-store';
import { createRunPictures } from '../../../ops/services/run-graph/read';
import { startMachine, taskArn } from '../../support/state-machine';

const definition = {
  StartAt: 'Portals',
  States: {
    Portals: {
      Type: 'Map',
      Label: 'Portals',
      ItemsPath: '$.portals',
      ItemSelector: { 'portal.$': '$$.Map.Item.Value' },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Collect',
        States: {
          Collect: {
            Type: 'Task',
            Resource: taskArn,
            Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Failed' }],
            End: true,
          },
          Failed: { Type: 'Pass', End: true },
        },
      },
      Next: 'Finish',
    },
    Finish: { Type: 'Task', Resource: taskArn, End: true },
  },
};

test('reads the states of a run and of its child executions', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'run-picture-'));
  const store = openExecutionStore(directory);
  const started = await startMachine(store, definition, { portals: ['good', 'bad'] }, async (event) => {
    if (JSON.stringify(event) === '{"portal":"bad"}') throw new Error('BadLogin');
    return {};
  });
  const { machine, executions, execution, ended } = started;
  const api = await startStepFunctionsApi(() => ({ machines: [machine], store, executions }));
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const sfn = new SFNClient({ endpoint: api.url, region: 'us-east-1', credentials });
  try {
    await ended;
    const pictures = createRunPictures({ sfn });
    const picture = await pictures.read(execution.executionArn);
    expect(picture?.graph.states).toMatchObject([
      { name: 'Portals', type: 'Map', status: 'succeeded', visits: 1 },
      { name: 'Collect', parent: 'Portals', executions: 2, failures: 1, error: 'BadLogin' },
      { name: 'Failed', status: 'succeeded', executions: 1 },
      { name: 'Finish', status: 'succeeded' },
    ]);
    expect(picture?.waterfall.map(({ portal, state }) => `${portal ?? ''}/${state}`).toSorted()).toEqual([
      ...['/Finish', 'bad/Collect', 'good/Collect'],
    ]);
    expect(await pictures.read(`${execution.executionArn}-of-another-day`)).toBeUndefined();
  } finally {
    sfn.destroy();
    await api.stop();
    rmSync(directory, { recursive: true });
  }
});
