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
 * `secretsFile`, a JSON object with the secrets' construct ids (`WebhookSecret`) or physical names as keys. Every call
 * reads the file, so that an edit takes effect at once. `PutSecretValue` writes to it.
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

/** Reads the secrets of the application. */
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

/** Whether an id is the ARN without its six random characters. CDK writes it for secrets imported by name. */
const isPartialArn = (id: string, name: string): boolean => id === secretArn(name).replace(/-[^-]{6}$/, '');

/** A version id in the form of a UUID. It depends only on the value, so that an edit of the file changes it too. */
const versionOf = (value: string): string => {
  const hash = createHash('sha256').update(value).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
};

/** Stores JSON as JSON, without its white space, so that people can edit it. Any other text is stored as a string. */
const toFileValue = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    const withoutSpace = text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
    // If the text differs from the serialized value, it has digits or escapes that the value cannot represent.
    return typeof value === 'object' && JSON.stringify(value) === withoutSpace ? value : text;
  } catch {
    return text;
  }
};
