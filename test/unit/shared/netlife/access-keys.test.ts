import type { NetlifeClient } from '../../../../shared/netlife/client';
import { subject } from '../../../support/netlife';
import { scriptedPortal } from './scripted-portal';

const { respond, calls, paths, waits, newClient } = scriptedPortal();

const path = '/jobs/j1/subjects/subject-1/accesskeys';
const getKey = (client: NetlifeClient, create = false) =>
  client.getOrCreateAccessKey('j1', subject({ name: 'Ada Byron' }), { create });

test.each([
  ['a list', ['K1', 'K2']],
  ['access_keys', { access_keys: [{ access_key: 'K1' }] }],
  ['data', { data: [{ key: 'K1' }] }],
])('the first key in %s is used, with one call', async (_shape, body) => {
  respond({ body });
  const client = newClient();
  expect(await getKey(client, true)).toBe('K1');
  expect(paths()).toEqual([`GET ${path}`]);
  expect(client.getStatsSummary()).toMatchObject({ access_keys_existing: 1, access_keys_created: 0 });
});

test('after a page without a key, the next page is read; a blank key is rejected', async () => {
  respond({ body: { data: [{ key: ' ' }], next: '?page=2' } }, { body: { data: ['K1'] } });
  const client = newClient();
  expect(await getKey(client)).toBe('K1');
  expect(client.takeStats('j1').rejected).toEqual([
    {
      portal: 'nowandforeverphoto',
      job_uuid: 'j1',
      list: 'access_keys',
      uuid: 'subject-1',
      position: 1,
      reason: 'the row holds no access key',
    },
  ]);
});

test('a known key needs no call, and a listed one becomes known', async () => {
  const keys = new Map<string, string>();
  const known = { find: (id: string) => keys.get(id), add: (id: string, key: string) => void keys.set(id, key) };
  respond({ body: ['K1', 'K2'] });
  const client = newClient();
  for (const create of [false, true]) {
    expect(await client.getOrCreateAccessKey('j1', subject(), { create, known })).toBe('K1');
  }
  expect(calls()).toHaveLength(1);
  expect([...keys]).toEqual([['subject-1', 'K1']]);
  expect(client.getStatsSummary()).toMatchObject({ access_keys_existing: 2, access_keys_known: 1 });
});

test('neither a missing nor a created key becomes known', async () => {
  const known = { find: () => undefined, add: jest.fn() };
  respond({ body: [] }, { body: [] }, { status: 201, body: { access_key: 'K1' } });
  const client = newClient();
  await client.getOrCreateAccessKey('j1', subject(), { create: false, known });
  await client.getOrCreateAccessKey('j1', subject(), { create: true, known });
  expect(known.add).not.toHaveBeenCalled();
});

test('none is created by default', async () => {
  respond({ body: [] });
  const client = newClient();
  expect(await getKey(client)).toBeUndefined();
  expect(client.getStatsSummary()).toMatchObject({ access_keys_failed: 1 });
});

test('a key is created on demand, and named after the subject', async () => {
  respond({ body: { data: [] } }, { status: 201, body: { data: { access_key: 'K1' } } });
  const client = newClient();
  expect(await getKey(client, true)).toBe('K1');
  expect(paths()).toEqual([`GET ${path}`, `POST ${path}`]);
  expect(calls()[1]).toMatchObject({
    body: '{"name":"Ada Byron"}',
    headers: { 'content-type': 'application/json' },
  });
  expect(client.getStatsSummary()).toMatchObject({ access_keys_created: 1 });
});

test.each([
  ['the response is lost', { hangUp: true }],
  ['the response is 500', { status: 500 }],
  ['the response is not JSON', { body: '<html>' }],
])('a key that was created although %s is found, and not created again', async (_what, response) => {
  respond({ body: [] }, response, { body: ['K1'] });
  const client = newClient();
  expect(await getKey(client, true)).toBe('K1');
  expect(paths()).toEqual([`GET ${path}`, `POST ${path}`, `GET ${path}`]);
  expect(waits()).toEqual([1_500]);
  expect(client.getStatsSummary()).toMatchObject({
    access_keys_created: 1,
    access_keys_existing: 0,
    retries: 1,
    api_calls_total: 3,
  });
});

test('a failed creation is attempted three times, each time after a lookup', async () => {
  const none = { body: [] };
  respond(none, { status: 500 }, none, { status: 500 }, none, { status: 500 });
  await expect(getKey(newClient(), true)).rejects.toMatchObject({ code: 'API_UNAVAILABLE' });
  expect(paths()).toEqual(Array.from({ length: 3 }, () => [`GET ${path}`, `POST ${path}`]).flat());
  expect(waits()).toEqual([1_500, 2_250]);
});

test('if the lookup fails, none is created', async () => {
  respond({ body: [] }, { status: 500 }, { status: 404 });
  await expect(getKey(newClient(), true)).rejects.toMatchObject({ code: 'API_REFUSED' });
  expect(paths()).toEqual([`GET ${path}`, `POST ${path}`, `GET ${path}`]);
});
