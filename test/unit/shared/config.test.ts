import * as z from 'zod/mini';
import { configSchema as download } from '../../../lambdas/download/config';
import { configSchema as processing } from '../../../lambdas/processing/config';
import { configSchema as webhook } from '../../../lambdas/webhook/config';
import { httpUrl, parseEnvironment, required } from '../../../shared/config';
import { PipelineError } from '../../../shared/errors';
import { positiveCount } from '../../../shared/positive-count';

const common = { STAGE: 'dev', SERVICE_VERSION: '1.0.0', COMMIT_SHA: 'abc' };
const environments = {
  webhook: {
    ...common,
    ORDERS_TABLE_NAME: 'orders',
    OPERATIONS_TABLE_NAME: 'operations',
    DOWNLOAD_QUEUE_URL: 'http://127.0.0.1:1/q',
    RAW_BUCKET_NAME: 'raw',
    WEBHOOK_SECRET_ARN: 'arn:webhook',
  },
  download: {
    ...common,
    ORDERS_TABLE_NAME: 'orders',
    OPERATIONS_TABLE_NAME: 'operations',
    DOWNLOAD_QUEUE_URL: 'http://127.0.0.1:1/q',
    PROCESSING_QUEUE_URL: 'https://sqs.example/p',
    RAW_BUCKET_NAME: 'raw',
    QUALIA_API_URL: 'https://qualia.example/graphql',
    QUALIA_SECRET_ARN: 'arn:qualia',
    MAX_RECEIVE_COUNT: '5',
  },
  processing: {
    ...common,
    ORDERS_TABLE_NAME: 'orders',
    OPERATIONS_TABLE_NAME: 'operations',
    PROCESSING_QUEUE_URL: 'https://sqs.example/p',
    RAW_BUCKET_NAME: 'raw',
    INTERNAL_API_URL: 'https://internal.example/orders',
    INTERNAL_API_SECRET_ARN: 'arn:internal',
    MAX_RECEIVE_COUNT: '5',
  },
};
const schemas = { webhook, download, processing };
const lambdas = ['webhook', 'download', 'processing'] as const;

const faultOf = (run: () => unknown): PipelineError => {
  try {
    run();
  } catch (error) {
    if (error instanceof PipelineError) return error;
  }
  throw new Error('no PipelineError was thrown');
};

describe.each(lambdas)("%s's environment", (name) => {
  const environment: Record<string, string> = environments[name];

  test('is read if it is complete', () => {
    const counted = 'MAX_RECEIVE_COUNT' in environment ? { MAX_RECEIVE_COUNT: 5 } : {};
    expect(parseEnvironment<unknown>(schemas[name], { ...environment, OTHER: 'x' })).toEqual({
      ...environment,
      ...counted,
    });
  });

  test('names all missing variables at once', () => {
    const fault = faultOf(() => parseEnvironment<unknown>(schemas[name], {}));
    expect(fault).toMatchObject({ code: 'CONFIG_INVALID', retryable: false });
    for (const variable of Object.keys(environment)) expect(fault.message).toContain(variable);
  });

  test.each(Object.keys(environment))('requires %s', (variable) => {
    const fault = faultOf(() => parseEnvironment<unknown>(schemas[name], { ...environment, [variable]: undefined }));
    expect(fault.message).toMatch(new RegExp(`^Wrong environment: ${variable} [^;]+$`));
  });

  test.each(Object.keys(environment))('rejects an empty %s', (variable) => {
    expect(() => parseEnvironment<unknown>(schemas[name], { ...environment, [variable]: '' })).toThrow(variable);
  });
});

test('no error contains a value', () => {
  const withSecrets = {
    ...environments.download,
    QUALIA_API_URL: 'ftp://user:hunter2@host/',
    MAX_RECEIVE_COUNT: 'hunter2',
    DOWNLOAD_QUEUE_URL: 'hunter2',
  };
  const { message } = faultOf(() => parseEnvironment<unknown>(download, withSecrets));
  expect(message).toBe(
    'Wrong environment: DOWNLOAD_QUEUE_URL is not an http(s) URL; MAX_RECEIVE_COUNT is not a whole number from 1; QUALIA_API_URL is not an http(s) URL',
  );
});

const field = z.object({ url: z.optional(httpUrl), count: z.optional(positiveCount), text: z.optional(required) });

test.each([
  ['url', 'http://127.0.0.1:3000/x?y=1'],
  ['url', 'https://api.example'],
  ['count', '1'],
  ['count', '250'],
  ['text', ' '],
])('%s can be %p', (name, value) => {
  expect(() => parseEnvironment<unknown>(field, { [name]: value })).not.toThrow();
});

test.each([
  ['url', 'ftp://host'],
  ['url', 'host'],
  ['url', 'file:///x'],
  ['count', '0'],
  ['count', '-1'],
  ['count', '1.5'],
  ['count', '1e3'],
  ['count', ' 1'],
  ['count', 'five'],
  ['text', ''],
])('%s must not be %p', (name, value) => {
  expect(() => parseEnvironment<unknown>(field, { [name]: value })).toThrow(name);
});
