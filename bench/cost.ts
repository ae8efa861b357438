import type { Prices } from './prices';
import { sum } from './statistics';

/** The measured usage of one clean order. */
export interface OrderUsage {
  readonly dynamoDbWrites: number;
  readonly dynamoDbReads: number;
  readonly s3Puts: number;
  readonly s3Gets: number;
  readonly sqsSends: number;
  /** Messages that Lambda's pollers received and deleted. */
  readonly sqsReceived: number;
  /** Average number of messages that one receive returns and one delete covers. */
  readonly sqsBatchSize: number;
  readonly lambdaInvocations: number;
  readonly lambdaGbSeconds: number;
  readonly logBytes: number;
  readonly accessLogBytes: number;
}

/** A line of the bill: purpose, and USD per million orders. */
export interface CostLine {
  readonly item: string;
  readonly usdPerMillion: number;
}

const million = 1e6;

/** The bill for a million orders with this usage. */
export const billOf = (usage: OrderUsage, prices: Prices): readonly CostLine[] => {
  // The pollers' receives and deletes are not our calls, but they are billed.
  const sqsRequests = usage.sqsSends + (2 * usage.sqsReceived) / usage.sqsBatchSize;
  const usdByItem = {
    'S3 put': usage.s3Puts * prices.s3Put,
    'S3 get': usage.s3Gets * prices.s3Get,
    'DynamoDB writes': usage.dynamoDbWrites * prices.dynamoDbWrite,
    'DynamoDB reads': usage.dynamoDbReads * prices.dynamoDbRead,
    'Logs of the Lambdas': (usage.logBytes / 1e9) * prices.logGb,
    'Access log of the API': (usage.accessLogBytes / 1e9) * prices.logGb,
    'HTTP API': prices.httpApiCall,
    'SQS requests': sqsRequests * prices.sqsRequest,
    'Lambda requests': usage.lambdaInvocations * prices.lambdaRequest,
    'Lambda time': usage.lambdaGbSeconds * prices.lambdaGbSecond,
  };
  return Object.entries(usdByItem).map(([item, usd]) => ({ item, usdPerMillion: usd * million }));
};

/** USD per million orders. */
export const totalOf = (bill: readonly CostLine[]): number => sum(bill.map(({ usdPerMillion }) => usdPerMillion));
