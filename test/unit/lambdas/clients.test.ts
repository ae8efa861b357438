import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const lambdas = join(__dirname, '../../../lambdas');
const sourceOf = (name: string): string => readFileSync(join(lambdas, name, 'index.ts'), 'utf8');

test.each(readdirSync(lambdas))('%s: every AWS client has time limits', (name) => {
  const clients = [...sourceOf(name).matchAll(/new \w+Client\((.*?)\)/g)].map(([, settings]) => settings);
  expect(clients.length).toBeGreaterThan(0);
  for (const settings of clients) expect(['briefCalls', 'smallCalls', 'largeCalls']).toContain(settings);
});

/** The functions and classes that create a client of an API. */
const apiClient = /(?:create(?:Qualia|InternalApi|Iterable)Client|new NetlifeClient)\(/g;
const callers = readdirSync(lambdas).filter((name) => sourceOf(name).match(apiClient) !== null);

test('these Lambdas call APIs', () => {
  expect(callers).toEqual(['download', 'iterable-push', 'netlife-collect', 'processing', 'reconciler']);
});

test.each(callers)('%s: logs each call to an API at level DEBUG', (name) => {
  const clients = sourceOf(name).match(apiClient);
  expect(sourceOf(name).match(/onCall: logCalls\(logger\)/g)).toHaveLength(clients?.length ?? 0);
});
