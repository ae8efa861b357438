import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Cell, SeenCall } from './cell';
import { type World, world } from './world';

const clientConfig = (service: keyof World['endpoints']) => ({
  endpoint: world().endpoints[service],
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

/** Clients of the world's AWS, past its faults. */
export const openClients = () => ({
  documents: DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig('dynamodb'))),
  lambda: new LambdaClient(clientConfig('lambda')),
  s3: new S3Client({ ...clientConfig('s3'), forcePathStyle: true }),
  sqs: new SQSClient(clientConfig('sqs')),
  stepFunctions: new SFNClient(clientConfig('sfn')),
});

/** @returns the answer's JSON */
export const ask = async (method: string, url: string, body?: unknown): Promise<unknown> => {
  const answer = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return answer.json();
};

/** The cells of the world, by the id of their order or run. */
export const cells = {
  put: (id: string, cell: Cell) => ask('PUT', `${world().cells}/${id}`, cell),
  heal: (id: string) => ask('DELETE', `${world().cells}/${id}`),
  seen: async (id: string) => (await ask('GET', `${world().cells}/${id}`)) as SeenCall[],
  /** The lines that were logged about it, as they were written. */
  logged: async (id: string) => (await ask('GET', `${world().cells}/${id}/log`)) as string[],
};

const patienceMs = 150_000;

/** Asks again and again until there is an answer. @throws {Error} when none comes in time */
export const eventually = async <T>(what: string, question: () => Promise<T | undefined>): Promise<T> => {
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    const answer = await question();
    if (answer !== undefined) return answer;
    if (Date.now() > deadlineMs) throw new Error(`It never came: ${what}`);
    await sleep(200);
  }
};
