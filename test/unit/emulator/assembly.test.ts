import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { createApplication, refuseUnknownTypes } from '../../../emulator/application';
import { readAssembly } from '../../../emulator/assembly';
import { readSchedules } from '../../../emulator/schedules';

const endpoints = {
  s3: 'http://127.0.0.1:1',
  sqs: 'http://127.0.0.1:1',
  dynamodb: 'http://127.0.0.1:2',
  secretsmanager: 'http://127.0.0.1:3',
  lambda: 'http://127.0.0.1:4',
  sfn: 'http://127.0.0.1:6',
  logs: 'http://127.0.0.1:7',
  sts: 'http://127.0.0.1:7',
  cloudwatch: 'http://127.0.0.1:8',
  sns: 'http://127.0.0.1:9',
  events: 'http://127.0.0.1:7',
  scheduler: 'http://127.0.0.1:7',
  api: 'http://127.0.0.1:5',
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'assembly-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Writes an assembly with these stacks and reads it. */
const assemblyOf = (stacks: Record<string, unknown>) => {
  const write = (file: string, value: unknown) => writeFileSync(path.join(directory, file), JSON.stringify(value));
  const artifacts = Object.keys(stacks).map((name) => [
    name,
    { type: 'aws:cloudformation:stack', properties: { templateFile: `${name}.template.json` } },
  ]);
  write('manifest.json', { artifacts: Object.fromEntries(artifacts) });
  for (const [name, template] of Object.entries(stacks)) {
    write(`${name}.template.json`, template);
  }
  return readAssembly(directory);
};

const queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'orders' } };

test.each<[string, unknown, unknown]>([
  ['Ref of a queue', { Ref: 'Queue' }, 'http://127.0.0.1:1/000000000000/orders'],
  ['Ref of a parameter', { Ref: 'Stage' }, 'dev'],
  ['GetAtt', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:us-east-1:000000000000:orders'],
  ['GetAtt as text', { 'Fn::GetAtt': 'Queue.QueueName' }, 'orders'],
  ['GetAtt of a skipped resource', { 'Fn::GetAtt': ['Role', 'Arn'] }, expect.stringMatching(/^arn:.*app-Role$/)],
  ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }]] }, 'a-us-east-1'],
  ['Select and Split', { 'Fn::Select': [1, { 'Fn::Split': ['-', 'a-b'] }] }, 'b'],
  ['Sub', { 'Fn::Sub': `\${AWS::AccountId}/\${Queue.QueueName}/\${!kept}` }, `000000000000/orders/\${kept}`],
  ['Sub with variables', { 'Fn::Sub': [`\${x}`, { x: { Ref: 'AWS::Partition' } }] }, 'aws'],
  ['ImportValue', { 'Fn::ImportValue': 'data:table' }, 'data-Table'],
  ['NoValue', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
  [
    'an API’s URL',
    { 'Fn::Join': ['', ['https://', { Ref: 'Api' }, '.execute-api.us-east-1.', { Ref: 'AWS::URLSuffix' }, '/x']] },
    'http://127.0.0.1:5/x',
  ],
])('resolves %s', (_what, Value, expected) => {
  const assembly = assemblyOf({
    data: {
      Resources: { Table: { Type: 'AWS::DynamoDB::Table' } },
      Outputs: { Table: { Value: { Ref: 'Table' }, Export: { Name: 'data:table' } } },
    },
    app: {
      Parameters: { Stage: { Default: 'dev' } },
      Resources: { Queue: queue, Role: { Type: 'AWS::IAM::Role' }, Api: { Type: 'AWS::ApiGatewayV2::Api' } },
      Outputs: { Out: { Value } },
    },
  });
  expect(createApplication(assembly, endpoints).outputs.app?.Out).toEqual(expected);
});

test.each([
  ['an unsupported function', { 'Fn::If': ['a', 'b', 'c'] }, 'Fn::If is not supported here'],
  ['a reference to nothing', { Ref: 'Nothing' }, 'a reference to Nothing, which is not a supported resource'],
  ['an unknown attribute', { 'Fn::GetAtt': ['Queue', 'Age'] }, 'has no attribute Age'],
  ['an import of nothing', { 'Fn::ImportValue': 'x' }, 'No stack of the assembly exports x'],
])('rejects %s', (_what, Value, message) => {
  const assembly = assemblyOf({ app: { Resources: { Queue: queue }, Outputs: { Out: { Value } } } });
  expect(() => createApplication(assembly, endpoints)).toThrow(message);
});

test('rejects all unknown resources in one error, and accepts harmless ones', () => {
  const assembly = assemblyOf({
    app: {
      Resources: {
        Queue: queue,
        Alarm: { Type: 'AWS::CloudWatch::Alarm' },
        Cache: { Type: 'AWS::ElastiCache::CacheCluster' },
        Files: { Type: 'AWS::EFS::FileSystem' },
      },
    },
  });
  expect(() => refuseUnknownTypes(assembly)).toThrow(
    /AWS::ElastiCache::CacheCluster \(app: Cache\)\n {2}AWS::EFS::FileSystem \(app: Files\)$/,
  );
});

test('rejects unsupported properties and names their place', () => {
  const assembly = assemblyOf({ app: { Resources: { Queue: queue } } });
  const schema = z.object({ QueueName: z.literal('other') });
  expect(() => createApplication(assembly, endpoints).resources(['AWS::SQS::Queue'], schema)).toThrow(
    'app: AWS::SQS::Queue Queue',
  );
});

test('rejects a folder without an assembly', () => {
  writeFileSync(path.join(directory, 'manifest.json'), '{}');
  expect(() => readAssembly(directory)).toThrow('manifest.json does not have the format that cdk synth writes');
});

test('the target of a schedule gets the input with the context attributes replaced', () => {
  const assembly = assemblyOf({
    app: {
      Resources: {
        Nightly: {
          Type: 'AWS::Scheduler::Schedule',
          Properties: { Target: { Arn: 'arn:x:function:sync', Input: '{"at":"<aws.scheduler.scheduled-time>"}' } },
          Metadata: { 'aws:cdk:path': 'app/nightly/Resource' },
        },
      },
    },
  });
  const [schedule] = readSchedules(createApplication(assembly, endpoints));
  expect(schedule?.names).toEqual(['app-Nightly', 'nightly', 'sync']);
  expect(schedule?.event(new Date('2026-01-02T03:04:05.678Z'))).toBe('{"at":"2026-01-02T03:04:05Z"}');
});
