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
  readonly sts: string;
  /** CloudWatch: metrics and alarms. */
  readonly cloudwatch: string;
  readonly sns: string;
  /** EventBridge. */
  readonly events: string;
  /** EventBridge Scheduler. */
  readonly scheduler: string;
  /** The application's HTTP API. */
  readonly api: string;
}

/** How CloudFormation names resources of one type. */
interface ResourceType {
  /** The property with the physical name, which the template can set. */
  readonly nameProperty?: string;
  /** Returns the physical name if the template sets none. The same at every start. */
  generateName?(resource: Resource): string;
  /** Returns the value of `Ref`. */
  ref(name: string, endpoints: Endpoints): string;
  /** Attribute name → the value of `Fn::GetAtt`. */
  readonly attributes?: Readonly<Record<string, (name: string, endpoints: Endpoints) => string>>;
}

export const arnOf = (service: string, resource: string) => `arn:aws:${service}:${region}:${accountId}:${resource}`;

/** A short hash: the same at every start, different for every name. */
const fingerprint = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length);

const named = (name: string) => name;
const queueUrl = (name: string, { sqs }: Endpoints) => `${sqs}/${accountId}/${name}`;
/** As in AWS, six characters follow the name, so that a name differs from the end of an ARN. */
export const secretArn = (name: string) => arnOf('secretsmanager', `secret:${name}-${fingerprint(name, 6)}`);

const topicArn = (name: string) => arnOf('sns', name);
const stateMachineArn = (name: string) => arnOf('states', `stateMachine:${name}`);

const table: ResourceType = {
  nameProperty: 'TableName',
  ref: named,
  attributes: { Arn: (name) => arnOf('dynamodb', `table/${name}`) },
};

/** The supported types. */
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
  'AWS::CloudWatch::Alarm': {
    nameProperty: 'AlarmName',
    ref: named,
    attributes: { Arn: (name) => arnOf('cloudwatch', `alarm:${name}`) },
  },
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    ref: topicArn,
    attributes: { TopicArn: topicArn, TopicName: named },
  },
  'AWS::SNS::Subscription': { ref: named },
  'AWS::Logs::MetricFilter': { nameProperty: 'FilterName', ref: named },
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

/** Types without a local effect, such as permissions, monitoring and deployment. Each is a prefix or a whole name. */
const skippedTypes = [
  'AWS::CDK::',
  'AWS::CloudWatch::Dashboard',
  'AWS::EC2::',
  'AWS::IAM::',
  'AWS::KMS::',
  'AWS::Logs::',
  'AWS::SNS::TopicPolicy',
  'AWS::XRay::',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::ScheduleGroup',
  'AWS::SecretsManager::ResourcePolicy',
  'Custom::S3AutoDeleteObjects',
] as const;

/** Roles and policies refer to skipped resources. They have no effect here, so any stable text is sufficient. */
const skipped: ResourceType = { ref: named };

/** How resources of a type are named; undefined for an unknown type. */
export const resourceType = (type: string): ResourceType | undefined =>
  supportedTypes[type] ?? (isSkipped(type) ? skipped : undefined);

/** Whether resources of this type are skipped. */
export const isSkipped = (type: string): boolean => skippedTypes.some((prefix) => type.startsWith(prefix));
