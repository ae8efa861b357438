import type { Context } from 'aws-lambda';
import { unconfigured } from './unconfigured';

/** The context of one invocation. */
export const lambdaContext = ({ remainingMs = 60_000, functionName = 'dev-marketplace-webhook' } = {}): Context => ({
  callbackWaitsForEmptyEventLoop: false,
  functionName,
  functionVersion: '$LATEST',
  invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
  memoryLimitInMB: '256',
  awsRequestId: 'invocation-1',
  logGroupName: `/aws/lambda/${functionName}`,
  logStreamName: 'stream',
  getRemainingTimeInMillis: () => remainingMs,
  done: unconfigured('done'),
  fail: unconfigured('fail'),
  succeed: unconfigured('succeed'),
});
