import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * Settings of a client whose calls are small: one that hangs fails after 5 s and is tried again by the SDK, well within
 * the Lambda's time, instead of taking a whole batch with it.
 */
export const smallCalls = {
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};

/**
 * Settings of a client whose calls carry megabytes: what counts is not how long one takes, but that it goes on. Without
 * it, a connection that died in silence would hold its Lambda until the end of its time.
 */
export const largeCalls = { requestHandler: { connectionTimeout: 1_000, socketTimeout: 10_000 } };

/** A DynamoDB client for plain objects; fields that are undefined are left out of an item. */
export const createDocumentClient = (): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(new DynamoDBClient(smallCalls), { marshallOptions: { removeUndefinedValues: true } });
