import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const lambdas = join(__dirname, '../../../lambdas');

test.each(readdirSync(lambdas))('%s: every AWS client is told when to give a call up', (name) => {
  const source = readFileSync(join(lambdas, name, 'index.ts'), 'utf8');
  const clients = [...source.matchAll(/new \w+Client\((.*?)\)/g)].map(([, settings]) => settings);
  expect(clients.length).toBeGreaterThan(0);
  for (const settings of clients) expect(['smallCalls', 'largeCalls']).toContain(settings);
});
