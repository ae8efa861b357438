import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { RecordedCall, Scenario } from './scenario';
import { type World, world } from './world';

const clientConfig = (service: keyof World['endpoints']) => ({
  endpoint: world().endpoints[service],
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

/** Clients of the world's AWS. No fault is injected into their calls. */
export const openClients = () => ({
  documents: DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig('dynamodb'))),
  lambda: new LambdaClient(clientConfig('lambda')),
  s3: new S3Client({ ...clientConfig('s3'), forcePathStyle: true }),
  sqs: new SQSClient(clientConfig('sqs')),
  stepFunctions: new SFNClient(clientConfig('sfn')),
});

/** Sends a request. @returns the JSON of the response */
export const requestJson = async (method: string, url: string, body?: unknown): Promise<unknown> => {
  const response = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return response.json();
};

/** The scenarios of the world, by the id of their order or run. */
export const scenarios = {
  put: (id: string, scenario: Scenario) => requestJson('PUT', `${world().scenarios}/${id}`, scenario),
  clearFaults: (id: string) => requestJson('DELETE', `${world().scenarios}/${id}`),
  calls: async (id: string) => (await requestJson('GET', `${world().scenarios}/${id}`)) as RecordedCall[],
  /** The log lines that contain the id, unparsed. */
  logLines: async (id: string) => (await requestJson('GET', `${world().scenarios}/${id}/log`)) as string[],
};

const timeoutMs = 150_000;

/** Calls `poll` until it returns a value. @throws {Error} after `timeoutMs` */
export const eventually = async <T>(what: string, poll: () => Promise<T | undefined>): Promise<T> => {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await poll();
    if (value !== undefined) return value;
    if (Date.now() > deadlineMs) throw new Error(`Timed out waiting for ${what}`);
    await sleep(200);
  }
};
