import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { arnOf } from '../../emulator/resource-types';
import type { Grant } from './roles';

/** A call of a Lambda, with its IAM action and resource. */
export interface Call extends Grant {
  readonly functionName: string;
}

const lineSchema = z.object({
  function: z.string(),
  service: z.string(),
  operation: z.string(),
  resource: z.string(),
});

/** The IAM actions of operations with another name. */
const actions: Readonly<Record<string, string>> = {
  's3:HeadObject': 's3:GetObject',
  's3:ListObjectsV2': 's3:ListBucket',
  's3:CreateMultipartUpload': 's3:PutObject',
  's3:UploadPart': 's3:PutObject',
  's3:CompleteMultipartUpload': 's3:PutObject',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
};

/** The ARNs of the resources in a call. */
const arns: Readonly<Record<string, (resource: string) => string[]>> = {
  dynamodb: (tables) => tables.split(',').map((table) => arnOf('dynamodb', `table/${table}`)),
  s3: (path) => [`arn:aws:s3:::${path}`],
  sqs: (queue) => [arnOf('sqs', queue)],
  secretsmanager: (arn) => [arn],
};

/** Reads the AWS calls that `emulator/call-recorder.ts` recorded in a file. */
export const readCalls = (file: string): Call[] => {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return lines.flatMap((line) => {
    const { function: functionName, service, operation, resource } = lineSchema.parse(JSON.parse(line));
    if (service === 'http') return [];
    const called = `${service}:${operation}`;
    const named = arns[service]?.(resource) ?? [resource];
    return named.map((arn) => ({ functionName, action: actions[called] ?? called, resource: arn }));
  });
};

/** Whether `grant` allows `call`. A pattern is accepted only at the end of an ARN. */
export const allows = (grant: Grant, call: Call): boolean =>
  grant.action === call.action &&
  (grant.resource.endsWith('/*')
    ? call.resource.startsWith(grant.resource.slice(0, -1))
    : call.resource === grant.resource);
