import { describeRunInput } from '../../../../ops/commands/run-input-help';
import { iterableInputSchema } from '../../../../shared/iterable/input';
import { netlifeInputSchema } from '../../../../shared/netlife/input';
import { createPortals } from '../../../../shared/netlife/portals';

const text = describeRunInput();
const portals = createPortals({ NETLIFE_EXTRA_PORTALS: [] });

test.each([
  ...['run_id', 'dry_run', 'after', 'netlife', 'iterable'],
  ...Object.keys(netlifeInputSchema(portals).shape),
  ...Object.keys(iterableInputSchema.shape),
])('the help of `sync start` explains the key %s', (name) => {
  expect(text).toMatch(new RegExp(`^ +${name}( \\(.*\\))?\\n +\\S`, 'm'));
});

test('the help shows choices and defaults, in 80 columns', () => {
  expect(text).toContain('mode (single | bulk; default "bulk")');
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
});
