import * as z from 'zod';
import type { Application } from './application';
import { type LoopbackServer, readBody, serveOnLoopback } from './loopback-server';
import { secretArn } from './resource-types';
import { readStateFile } from './state-files';

const requestSchema = z.object({ SecretId: z.string() });
const fileSchema = z.record(z.string(), z.unknown());

/** A secret that the application declares. */
export interface Secret {
  readonly name: string;
  /** Its key in the secrets file: the construct's id, such as `WebhookSecret`. */
  readonly constructId: string;
}

/**
 * Serves Secrets Manager's `GetSecretValue`, by name or ARN. The values stand in `secretsFile`: one JSON object, its
 * keys the secrets' construct ids (`WebhookSecret`) or physical names, its values what the secrets hold. The file is
 * read at every call, so that an edit shows at once.
 */
export function startSecrets(
  secretsOf: () => readonly Secret[],
  secretsFile: string,
  preferredPort?: number,
): Promise<LoopbackServer> {
  return serveOnLoopback(async (request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    const body = (await readBody(request)).toString();
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') {
      answer(400, { __type: 'UnknownOperationException' });
      return;
    }
    const { SecretId: id } = requestSchema.parse(JSON.parse(body));
    const secret = secretsOf().find(({ name }) => id === name || id === secretArn(name) || isPartialArn(id, name));
    const values = readStateFile(secretsFile, fileSchema, 'Restore it.') ?? {};
    const value = secret && (values[secret.name] ?? values[secret.constructId]);
    if (!secret || value === undefined) {
      answer(400, {
        __type: 'ResourceNotFoundException',
        Message: "Secrets Manager can't find the specified secret.",
      });
      return;
    }
    answer(200, {
      ARN: secretArn(secret.name),
      Name: secret.name,
      VersionId: '00000000-0000-0000-0000-000000000000',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: 0,
      SecretString: typeof value === 'string' ? value : JSON.stringify(value),
    });
  }, preferredPort);
}

/** The secrets of the application. */
export function readSecrets(application: Application): Secret[] {
  return application
    .resources(['AWS::SecretsManager::Secret'], z.object({}))
    .map(({ name, resource }) => ({ name, constructId: resource.constructId }));
}

/** An ARN without its six random characters, which CDK writes for secrets that it imports by name. */
function isPartialArn(id: string, name: string): boolean {
  return id === secretArn(name).replace(/-[^-]{6}$/, '');
}
