import { createHash } from 'node:crypto';
import type { Resource } from './assembly';

export const accountId = '000000000000';
export const region = 'us-east-1';

/** Where each service listens: `http://127.0.0.1:PORT`. */
export interface Endpoints {
  readonly s3: string;
  readonly sqs: string;
  readonly dynamodb: string;
  readonly secretsmanager: string;
  readonly lambda: string;
  /** Step Functions. */
  readonly sfn: string;
  /** CloudWatch Logs. */
  readonly logs: string;
  /** The HTTP API itself, the application's front door. */
  readonly api: string;
}

/** How CloudFormation names a resource of one type. */
interface ResourceType {
  /** The property that holds its physical name, if the template chooses one. */
  readonly nameProperty?: string;
  /** What the name is when the template chooses none. The same at every start. */
  generateName?(resource: Resource): string;
  /** What `Ref` gives. */
  ref(name: string, endpoints: Endpoints): string;
  /** What `Fn::GetAtt` gives. */
  readonly attributes?: Readonly<Record<string, (name: string, endpoints: Endpoints) => string>>;
}

export const arnOf = (service: string, resource: string) => `arn:aws:${service}:${region}:${accountId}:${resource}`;

/** Short, the same at every start, different for every name. */
const fingerprint = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length);

const named = (name: string) => name;
const queueUrl = (name: string, { sqs }: Endpoints) => `${sqs}/${accountId}/${name}`;
/** Like the real ones with six characters behind the name, by which a name is told from an ARN's end. */
export const secretArn = (name: string) => arnOf('secretsmanager', `secret:${name}-${fingerprint(name, 6)}`);

const stateMachineArn = (name: string) => arnOf('states', `stateMachine:${name}`);

const table: ResourceType = {
  nameProperty: 'TableName',
  ref: named,
  attributes: { Arn: (name) => arnOf('dynamodb', `table/${name}`) },
};

/** The types that are named by their templates or matter as such. */
const supportedTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    ref: queueUrl,
    attributes: { Arn: (name) => arnOf('sqs', name), QueueName: named, QueueUrl: queueUrl },
  },
  'AWS::S3::Bucket': {
    nameProperty: 'BucketName',
    generateName: ({ stackName, logicalId }) =>
      `${`${stackName}-${logicalId}`.toLowerCase().slice(0, 50)}-${fingerprint(`${stackName}-${logicalId}`, 8)}`,
    ref: named,
    attributes: { Arn: (name) => `arn:aws:s3:::${name}` },
  },
  'AWS::DynamoDB::Table': table,
  'AWS::DynamoDB::GlobalTable': table,
  'AWS::SecretsManager::Secret': { nameProperty: 'Name', ref: secretArn, attributes: { Id: secretArn } },
  'AWS::KMS::Key': { ref: named, attributes: { Arn: (name) => arnOf('kms', `key/${name}`) } },
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    ref: named,
    attributes: { Arn: (name) => arnOf('lambda', `function:${name}`) },
  },
  'AWS::Lambda::EventSourceMapping': { ref: named },
  'AWS::ApiGatewayV2::Api': {
    generateName: ({ stackName, logicalId }) => fingerprint(`${stackName}-${logicalId}`, 10),
    ref: named,
    attributes: { ApiId: named, ApiEndpoint: (_name, { api }) => api },
  },
  'AWS::ApiGatewayV2::Integration': { ref: named },
  'AWS::ApiGatewayV2::Route': { ref: named },
  'AWS::ApiGatewayV2::Stage': { nameProperty: 'StageName', ref: named },
  'AWS::Logs::LogGroup': {
    nameProperty: 'LogGroupName',
    ref: named,
    attributes: { Arn: (name) => arnOf('logs', `log-group:${name}:*`) },
  },
  'AWS::StepFunctions::StateMachine': {
    nameProperty: 'StateMachineName',
    ref: stateMachineArn,
    attributes: { Arn: stateMachineArn, Name: named },
  },
  'AWS::Scheduler::Schedule': {
    nameProperty: 'Name',
    ref: named,
    attributes: { Arn: (name) => arnOf('scheduler', `schedule/default/${name}`) },
  },
  'AWS::Events::Rule': {
    nameProperty: 'Name',
    ref: named,
    attributes: { Arn: (name) => arnOf('events', `rule/${name}`) },
  },
};

/** The types that need nothing here: who may do what, what is watched, how it is deployed. A prefix or a whole name. */
const skippedTypes = [
  'AWS::CDK::',
  'AWS::CloudWatch::',
  'AWS::EC2::',
  'AWS::IAM::',
  'AWS::KMS::',
  'AWS::Logs::',
  'AWS::SNS::',
  'AWS::XRay::',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::ScheduleGroup',
  'AWS::SecretsManager::ResourcePolicy',
  'Custom::S3AutoDeleteObjects',
] as const;

/** A skipped resource is still referred to, by roles and policies that nobody reads here: any stable text will do. */
const skipped: ResourceType = { ref: named };

/** The type's way of naming, or nothing if this program does not know the type. */
export const resourceType = (type: string): ResourceType | undefined =>
  supportedTypes[type] ?? (isSkipped(type) ? skipped : undefined);

/** Whether resources of this type are left out. */
export const isSkipped = (type: string): boolean => skippedTypes.some((prefix) => type.startsWith(prefix));
