import { arnOf } from '../../../emulator/resource-types';
import type { Grant } from '../../support/roles';

const on = (resource: string, ...actions: readonly string[]): Grant[] =>
  actions.map((action) => ({ action, resource }));

const runs = (outputs: Readonly<Record<string, string>>) => `arn:aws:s3:::${outputs.ArtifactsBucketName}/runs/*`;
/** S3 uses the buckets' key with the permissions of the Lambda, and these uses are not recorded. */
const keyUse = (name: string): readonly string[] => {
  if (name.endsWith('-issue-watch')) return [];
  return name.endsWith('-processing') ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey'];
};
const pollers = (queue: string) =>
  on(arnOf('sqs', queue), 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes');

/** A worker takes the leases of its run again only after a stop, or if it has not renewed them in time. */
const retakes = ({ SyncRunsTableName = '', OperationsTableName = '' }: Readonly<Record<string, string>>) => [
  ...on(arnOf('dynamodb', `table/${SyncRunsTableName}`), 'dynamodb:GetItem'),
  ...on(arnOf('dynamodb', `table/${OperationsTableName}`), 'dynamodb:GetItem', 'dynamodb:UpdateItem'),
];

/** Unused permissions of single Lambdas, by name. */
const unusedByName: Readonly<Record<string, (name: string, outputs: Readonly<Record<string, string>>) => Grant[]>> = {
  download: (name) => pollers(name),
  reconciler: (name) => [
    ...pollers(name),
    ...on(arnOf('sqs', name), 'sqs:SendMessage'),
    ...on(arnOf('sqs', name.replace('reconciler', 'download')), 'sqs:GetQueueAttributes'),
  ],
  // SNS uses the key of the topics with the permissions of the Lambda.
  'issue-watch': () =>
    on(arnOf('kms', 'key/dev-Observability-alarmskey485D8E8E'), 'kms:Decrypt', 'kms:GenerateDataKey'),
  processing: (name, outputs) => [...pollers(name), ...on(`arn:aws:s3:::${outputs.RawBucketName}`, 's3:ListBucket')],
  // Only if another run holds a lease.
  'plan-run': () => on(arnOf('states', 'execution:dev-marketplace-SyncJobs:*'), 'states:DescribeExecution'),
  'netlife-collect': (_name, outputs) => retakes(outputs),
  'netlife-merge': (_name, outputs) => [...on(runs(outputs), 's3:AbortMultipartUpload'), ...retakes(outputs)],
  'iterable-extract': (_name, outputs) => [
    ...on(runs(outputs), 's3:AbortMultipartUpload'),
    ...on(outputs.DatabaseSecretArn ?? '', 'secretsmanager:GetSecretValue'),
    ...retakes(outputs),
  ],
  'iterable-push': (_name, outputs) => retakes(outputs),
  'iterable-report': (_name, outputs) => [...on(runs(outputs), 's3:AbortMultipartUpload'), ...retakes(outputs)],
};

/** Permissions that a Lambda does not use in this test: the list in docs/adr/0007, which gives the reasons. */
export const unusedBy = (name: string, outputs: Readonly<Record<string, string>>): Grant[] => [
  ...on(arnOf('logs', `log-group:/aws/lambda/${name}:*`), 'logs:CreateLogStream', 'logs:PutLogEvents'),
  ...on('*', 'xray:PutTraceSegments', 'xray:PutTelemetryRecords'),
  ...on(outputs.PersonalDataKeyArn ?? '', ...keyUse(name)),
  ...(unusedByName[name.replace('dev-marketplace-', '')]?.(name, outputs) ?? []),
];

/** Permissions that the state machine does not use, except for those on the versions of its Lambdas. */
export const unusedByMachine: Grant[] = [
  ...on(arnOf('states', 'stateMachine:dev-marketplace-SyncJobs'), 'states:StartExecution'),
  ...on(arnOf('states', 'execution:dev-marketplace-SyncJobs:*'), 'states:DescribeExecution', 'states:StopExecution'),
  ...on(arnOf('states', 'execution:dev-marketplace-SyncJobs/Portals:*'), 'states:RedriveExecution'),
  ...on(
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
  ),
];
