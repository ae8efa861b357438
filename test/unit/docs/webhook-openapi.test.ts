import openApi31 from '@seriousme/openapi-schema-validator/schemas/v3.1/schema.json';
import Ajv, { type ValidateFunction } from 'ajv/dist/2020';
import fc from 'fast-check';
import * as z from 'zod';
import { bodySchemas } from '../../../bin/docs/webhook-bodies';
import { createWebhookDescription } from '../../../bin/docs/webhook-openapi';
import { readNotice } from '../../../lambdas/webhook/notice';
import { type CapturedLogs, captureLogs } from '../../support/logs';
import { activity, type Call, notification } from '../../support/webhook-calls';
import { authenticated, callWebhook, kept, queued, started, type WebhookDoubles } from '../../support/webhook-handler';

const description = createWebhookDescription();
const ajv = new Ajv({ allErrors: true, strictSchema: false });
ajv.addSchema(description, 'webhook');

/** The schema at a path in the description. */
const schemaAt = (...path: readonly string[]): ValidateFunction => {
  const pointer = path.map((key) => `/${key.replaceAll('/', '~1')}`).join('');
  const schema = ajv.getSchema(`webhook#${pointer}`);
  if (schema === undefined) throw new Error(`The description has no schema at ${pointer}`);
  return schema;
};

const faultsOf = (schema: ValidateFunction, value: unknown) => (schema(value) ? [] : schema.errors);

test('is OpenAPI 3.1', () => {
  const schema = new Ajv({ strict: false, validateFormats: false }).compile(openApi31);
  expect(faultsOf(schema, description)).toEqual([]);
  expect(faultsOf(schema, { ...description, info: {} })).not.toEqual([]);
});

test.each(Object.entries(bodySchemas))('%s is a JSON Schema', (_, schema) => {
  expect(() => new Ajv({ strictSchema: true }).compile(schema)).not.toThrow();
});

const contentSchema = z.object({
  schema: z.unknown(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })),
});

/** The path of every content in the description, and its examples. */
const contents = (value: unknown, path: readonly string[] = []): { path: readonly string[]; examples: unknown[] }[] => {
  const content = contentSchema.safeParse(value).data;
  if (content) return [{ path, examples: Object.values(content.examples).map((example) => example.value) }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => contents(child, [...path, key]));
};

test('has examples that match their schemas', () => {
  const found = contents(description);
  expect(found.length).toBeGreaterThan(15);
  for (const { path, examples } of found) {
    const schema = schemaAt(...path, 'schema');
    for (const example of examples) expect({ path, faults: faultsOf(schema, example) }).toEqual({ path, faults: [] });
  }
});

test('accepts the same bodies as the webhook', () => {
  const schema = schemaAt('paths', '/webhooks/qualia', 'post', 'requestBody', 'content', 'application/json', 'schema');
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom('QO-1', 'QO-', 'bK8bg5tajNkDpDk25', 'order.created', 'order_request', 'message', null, 1, {}),
    fc.integer({ min: 120, max: 130 }).map((length) => 'QO-'.padEnd(length, 'x')),
  );
  const fields = { order_id: value, type: value, notification_type: value, description: value, message_id: value };
  // Only times that both accept or both refuse: the description states the format of a time as text.
  const timestamp = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00,5+00', 1, null);
  const record = fc.record({ ...fields, timestamp }, { requiredKeys: [] });
  const broken = fc
    .tuple(fc.constantFrom(notification(), activity()), fc.constantFrom(...Object.keys(fields)), value)
    .map(([valid, name, changed]) => ({ ...valid, [name]: changed }));
  const counts = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(fc.oneof(value, record, broken), (body) => {
      const isAccepted = 'notice' in readNotice(body);
      expect(schema(body)).toBe(isAccepted);
      counts[isAccepted ? 'accepted' : 'refused'] += 1;
    }),
    { numRuns: 1_000 },
  );
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(20);
});

describe('matches what the webhook responds', () => {
  let logs: CapturedLogs;
  beforeEach(() => {
    logs = captureLogs();
  });
  afterEach(() => logs.stop());

  const body = notification();
  const accepting: WebhookDoubles = { authenticate: authenticated, startRound: queued };
  const starting = (outcome: 'duplicate' | 'stale') => ({ ...accepting, startRound: async () => started(outcome) });
  const failing = { ...accepting, startRound: () => Promise.reject(new Error('no table')) };
  const atHealth = { path: '/health' };

  const cases: [number, string, Call, WebhookDoubles][] = [
    [200, 'Accepted', { body }, accepting],
    [200, 'Accepted', { body: activity() }, accepting],
    [200, 'Accepted', { body }, starting('duplicate')],
    [200, 'Accepted', { body }, starting('stale')],
    [400, 'InvalidJson', { body: '{' }, accepting],
    [401, 'Unauthorized', { body }, { authenticate: async () => false }],
    [404, 'NotFound', { path: '/other' }, {}],
    [405, 'MethodNotAllowed', { method: 'PUT' }, {}],
    [413, 'PayloadTooLarge', { body: 'x'.repeat(256 * 1024 + 1) }, {}],
    [415, 'UnsupportedMediaType', { body, headers: { 'content-type': 'text/plain' } }, accepting],
    [415, 'UnsupportedMediaType', { body, headers: { 'content-encoding': 'gzip' } }, accepting],
    [422, 'ValidationFailed', { body: {} }, { ...accepting, keepRefused: kept }],
    [500, 'InternalError', { body }, failing],
    [200, 'Health', { ...atHealth, method: 'GET' }, {}],
    [405, 'MethodNotAllowed', { ...atHealth, method: 'PUT' }, {}],
  ];

  const operations = z.object({
    paths: z.record(
      z.string(),
      z.record(z.string(), z.object({ responses: z.record(z.string(), z.object({ headers: z.looseObject({}) })) })),
    ),
  });

  test.each(cases)('%i %s', async (expected, name, call, doubles) => {
    const { status, headers, body } = await callWebhook(call, doubles);
    expect(status).toBe(expected);

    const [path, method] =
      call.path === '/health' ? (['/health', 'get'] as const) : (['/webhooks/qualia', 'post'] as const);
    const documented = operations.parse(description).paths[path]?.[method]?.responses[String(status)];
    expect(Object.keys(headers).filter((header) => header !== 'content-type')).toEqual(
      Object.keys(documented?.headers ?? {}),
    );
    const operation = ['paths', path, method, 'responses', String(status), 'content', 'application/json', 'schema'];
    expect(faultsOf(schemaAt(...operation), body)).toEqual([]);
    expect(faultsOf(schemaAt('components', 'schemas', name), body)).toEqual([]);
    const { properties } = z
      .object({ properties: z.looseObject({}) })
      .parse(bodySchemas[name as keyof typeof bodySchemas]);
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(body as object)));
  });
});
