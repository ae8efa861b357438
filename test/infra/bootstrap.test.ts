import * as z from 'zod';
import { createApplication } from '../../emulator/application';
import { readAssembly } from '../../emulator/assembly';
import { stages } from '../../lib/config';
import { noEndpoints } from '../support/roles';
import { allows, arn, readPolicy, statementSchema } from './iam-policy';
import { assemblyOf } from './synth';

const execution = readPolicy('execution-policy');
const boundary = readPolicy('permissions-boundary');

const synthesized = stages.map((stage) => {
  const assembly = readAssembly(assemblyOf(stage));
  return { stage, assembly, application: createApplication(assembly, noEndpoints) };
});

/** CloudFormation starts generated names with the stack's name, but those of secrets with the logical id. */
const asDeployed = (arn: string): string => arn.replace(/:secret:\w+-Data-/, ':secret:');

/** The action that creates a resource of each type, and the resource's ARN; `*` if the ARN does not contain its name. */
const creations: Readonly<Record<string, readonly [action: string, resourceOf: (name: string) => string]>> = {
  'AWS::ApiGatewayV2::Api': ['apigateway:POST', () => 'arn:aws:apigateway:us-east-1::/apis'],
  'AWS::ApiGatewayV2::Integration': ['apigateway:POST', () => 'arn:aws:apigateway:us-east-1::/apis/a1b2/integrations'],
  'AWS::ApiGatewayV2::Route': ['apigateway:POST', () => 'arn:aws:apigateway:us-east-1::/apis/a1b2/routes'],
  'AWS::ApiGatewayV2::Stage': ['apigateway:POST', () => 'arn:aws:apigateway:us-east-1::/apis/a1b2/stages'],
  'AWS::CloudWatch::Alarm': ['cloudwatch:PutMetricAlarm', (name) => arn('cloudwatch', `alarm:${name}`)],
  'AWS::CloudWatch::Dashboard': [
    'cloudwatch:PutDashboard',
    (name) => `arn:aws:cloudwatch::000000000000:dashboard/${name}`,
  ],
  'AWS::DynamoDB::GlobalTable': ['dynamodb:CreateTable', (name) => arn('dynamodb', `table/${name}`)],
  'AWS::Events::Rule': ['events:PutRule', (name) => arn('events', `rule/${name}`)],
  'AWS::IAM::Role': ['iam:CreateRole', (name) => `arn:aws:iam::000000000000:role/${name}`],
  'AWS::KMS::Key': ['kms:CreateKey', () => '*'],
  'AWS::Lambda::EventSourceMapping': ['lambda:CreateEventSourceMapping', () => '*'],
  'AWS::Lambda::Function': ['lambda:CreateFunction', (name) => arn('lambda', `function:${name}`)],
  'AWS::Logs::LogGroup': ['logs:CreateLogGroup', (name) => arn('logs', `log-group:${name}`)],
  'AWS::Logs::QueryDefinition': ['logs:PutQueryDefinition', () => '*'],
  'AWS::S3::Bucket': ['s3:CreateBucket', (name) => `arn:aws:s3:::${name}`],
  'AWS::SNS::Topic': ['sns:CreateTopic', (name) => arn('sns', name)],
  'AWS::SQS::Queue': ['sqs:CreateQueue', (name) => arn('sqs', name)],
  'AWS::SecretsManager::Secret': [
    'secretsmanager:CreateSecret',
    (name) => asDeployed(arn('secretsmanager', `secret:${name}`)),
  ],
  'AWS::StepFunctions::StateMachine': ['states:CreateStateMachine', (name) => arn('states', `stateMachine:${name}`)],
  'AWS::XRay::SamplingRule': ['xray:CreateSamplingRule', (name) => arn('xray', `sampling-rule/${name}`)],
};
/** Types that belong to another resource and have its ARN. */
const subresources = [
  'AWS::IAM::Policy',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Logs::MetricFilter',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
];
const namesSchema = z.looseObject({
  AlarmName: z.string().optional(),
  DashboardName: z.string().optional(),
  LogGroupName: z.string().optional(),
  SamplingRule: z.looseObject({ RuleName: z.string() }).optional(),
});

test.each([
  ['execution policy', execution],
  ['permissions boundary', boundary],
])('the %s is short enough for a managed policy', (_name, { length }) => {
  expect(length).toBeLessThanOrEqual(6_144);
});

describe.each(synthesized)('$stage', ({ assembly, application }) => {
  const types = [...new Set([...assembly.stacks.values()].flatMap(({ resources }) => [...resources.values()]))]
    .map(({ type }) => type)
    .filter((type) => !subresources.includes(type));

  test.each([...new Set(types)])('the execution policy allows the creation of every %s with its name', (type) => {
    const [action, resourceOf] = creations[type] ?? ['', () => ''];
    const arns = application.resources([type], namesSchema).map(({ name, properties }) => {
      const { AlarmName, DashboardName, LogGroupName, SamplingRule } = properties;
      return resourceOf(AlarmName ?? DashboardName ?? LogGroupName ?? SamplingRule?.RuleName ?? name);
    });
    expect(arns.length).toBeGreaterThan(0);
    expect(arns.filter((resource) => !allows(execution.policy, action, resource))).toEqual([]);
  });

  test('every role has the boundary', () => {
    const schema = z.object({ PermissionsBoundary: z.string() });
    const boundaries = application
      .resources(['AWS::IAM::Role'], schema)
      .map(({ properties }) => properties.PermissionsBoundary);
    expect(new Set(boundaries)).toEqual(new Set(['arn:aws:iam::000000000000:policy/marketplace-boundary']));
    const conditions = execution.policy.Statement.filter(({ Action }) =>
      Action.some((action) => /^iam:(CreateRole|PutRolePolicy|AttachRolePolicy)$/.test(action)),
    ).map(({ Condition }) => Condition);
    expect(conditions).toEqual([
      { ArnLike: { 'iam:PermissionsBoundary': 'arn:aws:iam::*:policy/marketplace-boundary' } },
    ]);
  });

  test('the boundary covers everything that the policies of roles allow', () => {
    const schema = z.object({ PolicyDocument: z.object({ Statement: z.array(statementSchema) }) });
    const granted = application
      .resources(['AWS::IAM::Policy'], schema)
      .flatMap(({ properties }) => properties.PolicyDocument.Statement)
      .flatMap(({ Action, Resource }) => Action.map((action) => ({ action, resources: Resource.map(asDeployed) })));
    const notCovered = granted.flatMap(({ action, resources }) =>
      resources.filter((resource) => !allows(boundary.policy, action, resource)).map((at) => `${action} ${at}`),
    );
    expect(granted.length).toBeGreaterThan(50);
    expect(notCovered).toEqual([]);
  });
});

test.each([
  ['lambda:UpdateFunctionCode', arn('lambda', 'function:payments')],
  ['s3:GetObject', 'arn:aws:s3:::company-data/salaries.csv'],
  ['dynamodb:DeleteTable', arn('dynamodb', 'table/customers')],
  ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:root-password')],
  ['iam:CreateRole', 'arn:aws:iam::000000000000:role/admin'],
  ['iam:DeleteRolePermissionsBoundary', 'arn:aws:iam::000000000000:role/prod-OrderPipeline-webhookrole'],
  ['iam:CreatePolicyVersion', 'arn:aws:iam::000000000000:policy/marketplace-boundary'],
  ['kms:Decrypt', arn('kms', 'key/1')],
])('the execution policy does not allow %s on %s', (action, resource) => {
  expect(allows(execution.policy, action, resource)).toBe(false);
});

test.each([
  ['iam:PassRole', 'arn:aws:iam::000000000000:role/admin'],
  ['sts:AssumeRole', 'arn:aws:iam::000000000000:role/admin'],
  ['s3:GetObject', 'arn:aws:s3:::company-data/salaries.csv'],
  ['s3:PutBucketPolicy', 'arn:aws:s3:::prod-data-raw'],
  ['dynamodb:DeleteTable', arn('dynamodb', 'table/prod-Data-Orders')],
  ['lambda:UpdateFunctionCode', arn('lambda', 'function:prod-marketplace-webhook')],
])('the permissions boundary does not allow %s on %s', (action, resource) => {
  expect(allows(boundary.policy, action, resource)).toBe(false);
});
