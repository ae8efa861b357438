import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import * as z from 'zod';
import type { Application } from './application';
import { type Action, action, type JsonService, pageOf, ServiceError, serveJsonService } from './json-service';
import type { LoopbackServer } from './loopback-server';
import { secretArn } from './resource-types';
import { readStateFile, writeStateFile } from './state-files';

const fileSchema = z.record(z.string(), z.unknown());
const secretSchema = z.object({ Description: z.string().optional() });

/** A secret that the application declares. */
export interface Secret {
  readonly name: string;
  /** Its key in the secrets file: the construct's id, such as `WebhookSecret`. */
  readonly constructId: string;
  readonly description?: string | undefined;
}

const service: JsonService = {
  name: 'Secrets Manager',
  targetPrefix: 'secretsmanager',
  version: '1.1',
  validationError: 'InvalidParameterException',
  tokenError: 'InvalidNextTokenException',
};

/**
 * Serves Secrets Manager's actions that list, read and change the values of secrets, by name or ARN. The values are in
 * `secretsFile`: one JSON object. Its keys are the secrets' construct ids (`WebhookSecret`) or physical names. The file is
 * read at every call, so that an edit shows at once, and `PutSecretValue` writes to it.
 */
export const startSecrets = (
  secretsOf: () => readonly Secret[] | undefined,
  secretsFile: string,
  preferredPort?: number,
): Promise<LoopbackServer> => {
  const actionsOf = () => {
    const secrets = secretsOf();
    return secrets && createActions(secrets, secretsFile);
  };
  return serveJsonService(service, actionsOf, preferredPort);
};

/** The secrets of the application. */
export const readSecrets = (application: Application): Secret[] =>
  application
    .resources(['AWS::SecretsManager::Secret'], secretSchema)
    .map(({ name, resource, properties: { Description } }) => ({
      name,
      constructId: resource.constructId,
      description: Description,
    }));

const createActions = (secrets: readonly Secret[], secretsFile: string): Readonly<Record<string, Action>> => {
  const readValues = () => readStateFile(secretsFile, fileSchema, 'Restore it.') ?? {};
  const changedAt = () => Math.floor(statSync(secretsFile, { throwIfNoEntry: false })?.mtimeMs ?? 0) / 1000;
  const keyOf = ({ name, constructId }: Secret, values: object) => (name in values ? name : constructId);
  const currentValueOf = (secret: Secret): string | undefined => {
    const values = readValues();
    const value = values[keyOf(secret, values)];
    return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
  };
  const find = (id: string): Secret => {
    const secret = secrets.find(({ name }) => id === name || id === secretArn(name) || isPartialArn(id, name));
    if (!secret) {
      throw notFound("Secrets Manager can't find the specified secret.");
    }
    return secret;
  };
  const describe = (secret: Secret) => {
    const value = currentValueOf(secret);
    return {
      ARN: secretArn(secret.name),
      Name: secret.name,
      Description: secret.description,
      CreatedDate: changedAt(),
      LastChangedDate: changedAt(),
      ...(value !== undefined && { VersionId: versionOf(value) }),
    };
  };

  return {
    GetSecretValue: action(
      { SecretId: z.string(), VersionId: z.string().optional(), VersionStage: z.string().optional() },
      ({ SecretId, VersionId, VersionStage = 'AWSCURRENT' }) => {
        const secret = find(SecretId);
        const value = currentValueOf(secret);
        const version = value && versionOf(value);
        if (!version || VersionStage !== 'AWSCURRENT' || (VersionId ?? version) !== version) {
          const which = VersionId === undefined ? `staging label: ${VersionStage}` : `VersionId: ${VersionId}`;
          throw notFound(`Secrets Manager can't find the specified secret value for ${which}`);
        }
        return {
          ARN: secretArn(secret.name),
          Name: secret.name,
          VersionId: version,
          VersionStages: ['AWSCURRENT'],
          CreatedDate: changedAt(),
          SecretString: value,
        };
      },
    ),
    PutSecretValue: action(
      { SecretId: z.string(), SecretString: z.string(), ClientRequestToken: z.string().optional() },
      ({ SecretId, SecretString }) => {
        const secret = find(SecretId);
        const values = readValues();
        const changed = { ...values, [keyOf(secret, values)]: toFileValue(SecretString) };
        writeStateFile(secretsFile, `${JSON.stringify(changed, undefined, 2)}\n`);
        return {
          ARN: secretArn(secret.name),
          Name: secret.name,
          VersionId: versionOf(currentValueOf(secret) ?? ''),
          VersionStages: ['AWSCURRENT'],
        };
      },
    ),
    DescribeSecret: action({ SecretId: z.string() }, ({ SecretId }) => {
      const { VersionId, ...description } = describe(find(SecretId));
      return { ...description, VersionIdsToStages: VersionId && { [VersionId]: ['AWSCURRENT'] } };
    }),
    ListSecrets: action(
      {
        MaxResults: z.int().min(1).max(100).default(100),
        NextToken: z.string().optional(),
        SortOrder: z.enum(['asc', 'desc']).default('desc'),
        Filters: z.array(z.strictObject({ Key: z.literal('name'), Values: z.array(z.string()) })).default([]),
      },
      ({ MaxResults, NextToken, SortOrder, Filters }) => {
        const wanted = secrets
          .filter(({ name }) => Filters.every(({ Values }) => Values.some((prefix) => name.startsWith(prefix))))
          .toSorted((a, b) => (a.name < b.name === (SortOrder === 'asc') ? -1 : 1));
        const page = pageOf(wanted, MaxResults, NextToken);
        const SecretList = page.items.map((secret) => {
          const { VersionId, ...description } = describe(secret);
          return { ...description, SecretVersionsToStages: VersionId && { [VersionId]: ['AWSCURRENT'] } };
        });
        return { SecretList, NextToken: page.nextToken };
      },
    ),
  };
};

const notFound = (message: string) => new ServiceError('ResourceNotFoundException', message);

/** An ARN without its six random characters, which CDK writes for secrets that it imports by name. */
const isPartialArn = (id: string, name: string): boolean => id === secretArn(name).replace(/-[^-]{6}$/, '');

/** In the form of a UUID. Another value has another version, also after an edit of the file. */
const versionOf = (value: string): string => {
  const hash = createHash('sha256').update(value).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
};

/** JSON is kept as such, as the file's readers expect it: only its white space is lost. Every other text stays one. */
const toFileValue = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    const withoutSpace = text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
    // A text that JSON would write in another way has digits or escapes that a value does not keep.
    return typeof value === 'object' && JSON.stringify(value) === withoutSpace ? value : text;
  } catch {
    return text;
  }
};
