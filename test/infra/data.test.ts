import { Match } from 'aws-cdk-lib/assertions';
import { resources, synthesize } from './synth';

const stages = { dev: synthesize('dev'), prod: synthesize('prod') };
const { data, orderPipeline } = stages.prod;
const deniesPlainHttp = { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };

describe('data', () => {
  const retained = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };

  test('the orders table is on demand, recoverable, and indexed only for failures', () => {
    data.hasResource('AWS::DynamoDB::GlobalTable', {
      ...retained,
      Properties: Match.objectLike({
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'order_id', KeyType: 'HASH' }],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'failed-orders',
            KeySchema: [
              { AttributeName: 'failed_shard', KeyType: 'HASH' },
              { AttributeName: 'failed_at', KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
        Replicas: [
          Match.objectLike({
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ],
      }),
    });
  });

  test('raw payloads are versioned, private, accessible only over TLS, and expire', () => {
    data.hasResource('AWS::S3::Bucket', {
      ...retained,
      Properties: Match.objectLike({
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        LifecycleConfiguration: {
          Rules: [
            Match.objectLike({
              ExpirationInDays: 400,
              NoncurrentVersionExpiration: { NoncurrentDays: 30 },
            }),
            // A refused body exists for 30 days: as an object, and then as a version.
            Match.objectLike({
              Prefix: 'refused/',
              ExpirationInDays: 29,
              NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            }),
          ],
        },
      }),
    });
    data.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: [Match.objectLike(deniesPlainHttp)] },
    });
  });

  test.each([
    ['raw', { VersioningConfiguration: { Status: 'Enabled' } }],
    ['artifacts', { VersioningConfiguration: Match.absent() }],
  ])('%s: encrypted with a customer managed key, and every access is logged (decision 8)', (name, versioned) => {
    const [keyId = ''] = Object.keys(data.findResources('AWS::KMS::Key'));
    const [logsId = ''] = Object.keys(
      data.findResources('AWS::S3::Bucket', { Properties: { LoggingConfiguration: Match.absent() } }),
    );
    data.hasResourceProperties('AWS::S3::Bucket', {
      ...versioned,
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: 'aws:kms',
              KMSMasterKeyID: { 'Fn::GetAtt': [keyId, 'Arn'] },
            },
          },
        ],
      },
      LoggingConfiguration: { DestinationBucketName: { Ref: logsId }, LogFilePrefix: `${name}/` },
    });
    data.hasResource('AWS::KMS::Key', { ...retained, Properties: { EnableKeyRotation: true } });
  });

  test('only roles that read or write objects may use their key', () => {
    const policies = [orderPipeline, stages.prod.syncJobs]
      .flatMap((template) => resources(template, 'AWS::IAM::Policy'))
      .map(({ Properties }) => JSON.stringify(Properties));
    const users = policies.filter((text) => /s3:(Get|Put)Object/.test(text));
    expect(users).toHaveLength(11);
    expect(policies.filter((text) => text.includes('kms:Decrypt'))).toEqual(users);
    expect(policies.filter((text) => text.includes('kms:GenerateDataKey'))).toEqual(
      policies.filter((text) => text.includes('s3:PutObject')),
    );
  });

  test('no lifecycle rule changes the storage class: payloads are too small, and each transition costs', () => {
    const rules = resources(data, 'AWS::S3::Bucket').map(({ Properties }) => JSON.stringify(Properties));
    expect(rules.filter((text) => text.includes('Transition'))).toEqual([]);
  });

  test('secrets are retained in prod, and nothing is retained in dev', () => {
    const deletionPoliciesOf = (template: typeof data) =>
      Object.values(template.toJSON().Resources as object).map(({ DeletionPolicy }) => DeletionPolicy);
    data.resourceCountIs('AWS::SecretsManager::Secret', 6);
    data.allResources('AWS::SecretsManager::Secret', retained);
    expect(deletionPoliciesOf(stages.dev.data)).not.toContain('Retain');
  });
});
