import * as z from 'zod';
import { createPortals, portalVariables } from '../../../../shared/netlife/portals';

const configOf = (environment: Readonly<Record<string, string>>) => z.object(portalVariables).safeParse(environment);
const portalsOf = (environment: Readonly<Record<string, string>> = {}) => createPortals(configOf(environment).data);

test.each([
  ['nowandforeverphoto', 'Generations'],
  ['generationsphotos', 'Generations'],
  ['nowandgen', 'Generations'],
  ['legacyseniorphotos', 'Legacy'],
  ['legacyphoto', 'Legacy'],
  ['legacyphotos', 'Legacy'],
  ['westpointportraits', 'Legacy'],
  ['midshipmenportraits', 'Legacy'],
  ['coastguardportraits', 'Legacy'],
])('%s is a portal of %s', (name, brand) => {
  expect(portalsOf().find(name)).toEqual({ name, brand, origin: `https://${name}.shop`, basePath: '/api/v1' });
});

test.each(['', 'other', 'nowandgen.shop', 'NOWANDGEN', 'constructor', '127.0.0.1', 'nowandgen/../x', ' nowandgen'])(
  'does not accept the portal %j',
  (name) => {
    expect(portalsOf().find(name)).toBeUndefined();
  },
);

test('a portal added by configuration has the brand Unknown; a known portal keeps its own', () => {
  const portals = portalsOf({ NETLIFE_EXTRA_PORTALS: ' new-portal, nowandgen ,' });
  expect(portals.find('new-portal')).toEqual({
    name: 'new-portal',
    brand: 'Unknown',
    origin: 'https://new-portal.shop',
    basePath: '/api/v1',
  });
  expect(portals.find('nowandgen')?.brand).toBe('Generations');
  expect(portals.names).toHaveLength(10);
  expect(portals.names.at(-1)).toBe('new-portal');
});

test.each([
  ['http://127.0.0.1:80/{portal}/api/v1/', 'http://127.0.0.1', '/nowandgen/api/v1'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080', ''],
  ['{"nowandgen":"https://simulator.example/api/v1"}', 'https://simulator.example', '/api/v1'],
  ['{"legacyphoto":"https://simulator.example/api/v1"}', 'https://nowandgen.shop', '/api/v1'],
])('with NETLIFE_BASE_URL=%s, the API of the portal is at %s%s', (NETLIFE_BASE_URL, origin, basePath) => {
  expect(portalsOf({ NETLIFE_BASE_URL }).find('nowandgen')).toMatchObject({ origin, basePath });
});

test.each([
  { NETLIFE_BASE_URL: 'ftp://127.0.0.1' },
  { NETLIFE_BASE_URL: 'nowhere' },
  { NETLIFE_BASE_URL: 'https://user@host.example/api' },
  { NETLIFE_BASE_URL: 'https://host.example/api?x=1' },
  { NETLIFE_BASE_URL: '{"nowandgen":5}' },
  { NETLIFE_EXTRA_PORTALS: 'evil.example/' },
  { NETLIFE_EXTRA_PORTALS: 'a b' },
])('refuses %j', (environment) => {
  expect(configOf(environment).success).toBe(false);
});
