import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { metadata } from './client';

/** DynamoDB's refusal of a request. The SDK has no class for it. */
export class ValidationFault extends DynamoDBServiceException {
  constructor(message: string) {
    super({ name: 'ValidationException', message, $fault: 'client', ...metadata(400) });
  }
}
