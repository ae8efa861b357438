/** The part of `@aws-sdk/client-dynamodb` that the Lambdas use. Commands are in `lib-dynamodb`. */
import { clientOf } from './client';
import { ServiceException } from './errors';
import { jsonCommands } from './json';

export class DynamoDBServiceException extends ServiceException {}
export class ConditionalCheckFailedException extends DynamoDBServiceException {}
export class ProvisionedThroughputExceededException extends DynamoDBServiceException {}
export class ResourceNotFoundException extends DynamoDBServiceException {}

/** The SDK makes one attempt more than for the other services, and waits half as long. */
export const DynamoDBClient = clientOf({ prefix: 'dynamodb', variable: 'DYNAMODB', maxAttempts: 4, baseDelayMs: 25 });

const byName = {
  ConditionalCheckFailedException,
  ProvisionedThroughputExceededException,
  ResourceNotFoundException,
};

/** The class of a command by its operation. Its attributes are DynamoDB's: `{ S: 'text' }`. */
export const dynamoDbCommand = jsonCommands({
  version: '1.0',
  target: 'DynamoDB_20120810',
  exceptions: { base: DynamoDBServiceException, byName },
  // In JSON, only the type of an attribute is followed by its value. In a text, the quotes would be escaped.
  bytes: /"B":"|"BS":\[/,
});
