import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mixedDay } from '../../../../local/sample/day';
import { startSurroundings } from '../../../../local/start/surroundings';

let stateDirectory: string;
beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), 'surroundings-'));
});
afterEach(() => rmSync(stateDirectory, { recursive: true }));

const faultsAt = async (controlUrl: string | undefined): Promise<unknown> =>
  (await fetch(`${controlUrl}/faults`)).json();

test('the faults of a resumed day are set before the embedded AWS can start', async () => {
  const { orders, faults } = mixedDay({ orders: 20, seed: 1, nowMs: Date.now() });
  const { simulators, stop } = await startSurroundings({ stateDirectory, orders, faults, environment: {} });
  expect(await faultsAt(simulators.qualia?.controlUrl)).toEqual(faults.qualia.map((fault) => ({ ...fault, hits: 0 })));
  expect(await faultsAt(simulators.internalApi?.controlUrl)).toEqual(
    faults.internalApi.map((fault) => ({ ...fault, hits: 0 })),
  );
  await stop();
});
