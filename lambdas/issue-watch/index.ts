import { randomUUID } from 'node:crypto';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { createDocumentClient, smallCalls } from '../../shared/aws/clients';
import { parseEnvironment, releaseOf } from '../../shared/config';
import { createIssueStore } from '../../shared/issues/issue-store';
import { createRecordFailures } from '../../shared/issues/record-failures';
import { createLogger } from '../../shared/observability/logger';
import { createOrderQueries } from '../../shared/orders/queries';
import { configSchema } from './config';
import { createHandler } from './handler';

const config = parseEnvironment(configSchema, process.env);
const documents = createDocumentClient();
const sns = new SNSClient(smallCalls);

export const handler = createHandler({
  stage: config.STAGE,
  release: releaseOf(config),
  store: createIssueStore(documents, config.OPERATIONS_TABLE_NAME),
  orders: createOrderQueries(documents, config.ORDERS_TABLE_NAME),
  recordFailures: createRecordFailures(documents, config.OPERATIONS_TABLE_NAME),
  notify: async ({ subject, message }) => {
    await sns.send(new PublishCommand({ TopicArn: config.TOPIC_ARN, Subject: subject, Message: message }));
  },
  logger: createLogger(config),
  newWriteId: randomUUID,
  now: () => Date.now(),
});
