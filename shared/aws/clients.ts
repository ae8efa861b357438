import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * Settings of a client with small calls. A call that hangs fails after 5 s and the SDK retries it within the Lambda's
 * timeout, so that it does not fail a whole batch.
 */
export const smallCalls = {
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};

/**
 * Settings of a client whose failure must leave time for another step while a caller waits: two attempts, 3 s and a
 * short wait.
 */
export const briefCalls = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
};

/**
 * Settings of a client whose calls transfer megabytes. They limit the idle time, not the duration: a dead connection would
 * otherwise block its Lambda until the timeout.
 */
export const largeCalls = { requestHandler: { connectionTimeout: 1_000, socketTimeout: 10_000 } };

/** A DynamoDB client for plain objects. It leaves undefined fields out of an item. */
export const createDocumentClient = (): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(new DynamoDBClient(smallCalls), { marshallOptions: { removeUndefinedValues: true } });
