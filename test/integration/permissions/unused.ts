import { arnOf } from '../../../emulator/resource-types';
import type { Grant } from '../../support/roles';

const on = (resource: string, ...actions: readonly string[]): Grant[] =>
  actions.map((action) => ({ action, resource }));

const runs = (outputs: Readonly<Record<string, string>>) => `arn:aws:s3:::${outputs.ArtifactsBucketName}/runs/*`;
/** S3 uses the key of its buckets in the name of the Lambda. */
const keyUse = (name: string): readonly string[] => {
  if (name.endsWith('-webhook')) return [];
  return name.endsWith('-processing') ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey'];
};
const pollers = (queue: string) =>
  on(arnOf('sqs', queue), 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes');

/** By the end of a Lambda's name. */
const some: Readonly<Record<string, (name: string, outputs: Readonly<Record<string, string>>) => Grant[]>> = {
  download: (name) => pollers(name),
  reconciler: (name) => [
    ...pollers(name),
    ...on(arnOf('sqs', name), 'sqs:SendMessage'),
    ...on(arnOf('sqs', name.replace('reconciler', 'download')), 'sqs:GetQueueAttributes'),
  ],
  processing: (name, outputs) => [...pollers(name), ...on(`arn:aws:s3:::${outputs.RawBucketName}`, 's3:ListBucket')],
  'netlife-merge': (_name, outputs) => on(runs(outputs), 's3:AbortMultipartUpload'),
  'iterable-extract': (_name, outputs) => [
    ...on(runs(outputs), 's3:AbortMultipartUpload'),
    ...on(outputs.DatabaseSecretArn ?? '', 'secretsmanager:GetSecretValue'),
  ],
  'iterable-report': (_name, outputs) => on(runs(outputs), 's3:AbortMultipartUpload'),
};

/** What a Lambda may do and never does in an end-to-end run: the list of docs/adr/0007, with its reasons. */
export const unusedBy = (name: string, outputs: Readonly<Record<string, string>>): Grant[] => [
  ...on(arnOf('logs', `log-group:/aws/lambda/${name}:*`), 'logs:CreateLogStream', 'logs:PutLogEvents'),
  ...on('*', 'xray:PutTraceSegments', 'xray:PutTelemetryRecords'),
  ...on(outputs.PersonalDataKeyArn ?? '', ...keyUse(name)),
  ...(some[name.replace('dev-marketplace-', '')]?.(name, outputs) ?? []),
];

/** The same of the state machine, beside the versions of its Lambdas. */
export const unusedByMachine: Grant[] = on(
  '*',
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
);
