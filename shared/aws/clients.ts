import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * Settings of a client whose calls are small: one that hangs fails after 5 s and is tried again by the SDK, well within
 * the Lambda's time, instead of taking a whole batch with it.
 */
export const smallCalls = {
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};

/** A DynamoDB client for plain objects; fields that are undefined are left out of an item. */
export const createDocumentClient = (): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(new DynamoDBClient(smallCalls), { marshallOptions: { removeUndefinedValues: true } });
