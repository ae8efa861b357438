import type { Metric } from './metric-store';

/** Namespace → the metrics that the embedded AWS records itself, each with every set of dimensions. */
export const recordedMetrics = {
  'AWS/Lambda': {
    dimensionSets: ['FunctionName'],
    names: ['Invocations', 'Errors', 'Throttles', 'Duration', 'ConcurrentExecutions'],
  },
  'AWS/ApiGateway': {
    dimensionSets: ['ApiId', 'ApiId,Stage'],
    names: ['Count', '4xx', '5xx', 'Latency', 'IntegrationLatency'],
  },
  'AWS/States': {
    dimensionSets: ['StateMachineArn'],
    names: [
      'ExecutionsStarted',
      'ExecutionsSucceeded',
      'ExecutionsFailed',
      'ExecutionsTimedOut',
      'ExecutionsAborted',
      'ExecutionTime',
    ],
  },
  'AWS/Logs': { dimensionSets: ['LogGroupName'], names: ['IncomingBytes', 'IncomingLogEvents'] },
  'AWS/SQS': {
    dimensionSets: ['QueueName'],
    names: [
      'NumberOfMessagesSent',
      'ApproximateNumberOfMessagesVisible',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
      'ApproximateAgeOfOldestMessage',
    ],
  },
} as const;

/**
 * Whether a metric can have values here: it is one that the embedded AWS records, or not one of AWS. Functions and clients
 * publish the others.
 */
export const canHaveValues = ({ namespace, name, dimensions }: Metric): boolean => {
  const recorded = Object.entries(recordedMetrics).find(([key]) => key === namespace)?.[1];
  if (!recorded) return !namespace.startsWith('AWS/');
  const { names, dimensionSets }: { readonly names: readonly string[]; readonly dimensionSets: readonly string[] } =
    recorded;
  return names.includes(name) && dimensionSets.includes(Object.keys(dimensions).sort().join());
};
