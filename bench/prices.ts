/**
 * List prices in USD, us-east-1, first volume tier, without free tier and tax; each with its page and the date of the
 * entry. Check the page before you rely on an old entry.
 */
export const prices = {
  /** HTTP API, a call of up to 512 KB. aws.amazon.com/api-gateway/pricing, 2026-11. */
  httpApiCall: 1.0e-6,
  /** A request. aws.amazon.com/lambda/pricing, 2026-11. */
  lambdaRequest: 0.2e-6,
  /** A GB-second on arm64, billed by the ms. aws.amazon.com/lambda/pricing, 2026-11. */
  lambdaGbSecond: 0.0000133334,
  /** A write of up to 1 KB, on demand. aws.amazon.com/dynamodb/pricing/on-demand, 2026-11 (unchanged since 2024-11). */
  dynamoDbWrite: 0.625e-6,
  /** A strongly consistent read of up to 4 KB, on demand. The same page and date. */
  dynamoDbRead: 0.125e-6,
  /** PUT, COPY, POST or LIST, Standard class. aws.amazon.com/s3/pricing, 2026-11. */
  s3Put: 5.0e-6,
  /** GET or any other. The same page and date. */
  s3Get: 0.4e-6,
  /** A request of up to 64 KB to a standard queue. aws.amazon.com/sqs/pricing, 2026-11. */
  sqsRequest: 0.4e-6,
  /** Collection of 1e9 bytes of standard logs. aws.amazon.com/cloudwatch/pricing, 2026-11. */
  logGb: 0.5,
} as const;

export type Prices = typeof prices;
