import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatBulkCost } from '../../../ops/format';

test.each([
  [0, 'up to 0.00 USD at AWS'],
  [1, 'up to 0.01 USD at AWS'],
  [1_000, 'up to 0.03 USD at AWS'],
  [100_000, 'up to 2.55 USD at AWS'],
])('%d orders', (orders, expected) => {
  expect(formatBulkCost(orders)).toBe(expected);
});

test('a million orders cost what the documentation says', () => {
  const rows = readFileSync(join(__dirname, '../../../docs/deploy.md'), 'utf8').split('\n');
  const usdOf = (name: string): number =>
    Number(
      rows
        .find((row) => row.startsWith(`| ${name}`))
        ?.split('|')
        .at(-2),
    );
  const usd = usdOf('orders:') + usdOf('traces:');
  expect(formatBulkCost(1e6)).toBe(`up to ${usd.toFixed(2)} USD at AWS`);
});
