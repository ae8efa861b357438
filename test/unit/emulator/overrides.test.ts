import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mapping } from '../../../emulator/event-source-mapping';
import { createMappingSwitches } from '../../../emulator/mapping-switches';
import { openOverrides } from '../../../emulator/overrides';

const directory = mkdtempSync(path.join(tmpdir(), 'overrides-'));
const file = path.join(directory, 'switches.json');
afterAll(() => rmSync(directory, { recursive: true }));

const start = (declared: boolean) => {
  const mapping = { UUID: 'u', Enabled: declared } as Mapping;
  const [only] = createMappingSwitches([mapping], openOverrides(file), () => async () => undefined);
  if (only === undefined) throw new Error('There is no switch');
  return only;
};

test('a disabled mapping stays disabled over a restart, until its template changes', async () => {
  const mapping = start(true);
  expect(mapping.state()).toBe('Enabled');
  mapping.setEnabled(false);
  expect(mapping.state()).toBe('Disabling');
  expect(() => mapping.setEnabled(true)).toThrow('still being disabled');
  await mapping.stop();
  expect(mapping.state()).toBe('Disabled');

  expect(start(true).state()).toBe('Disabled');
  expect(start(false).state()).toBe('Disabled');
  start(false).setEnabled(true);
  expect(start(false).state()).toBe('Enabled');
});
