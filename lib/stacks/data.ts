import { CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import { AttributeType, Billing, ProjectionType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type BucketProps, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { removalOf } from '../removal';

/** What must outlive every deployment: the orders, their raw payloads, what the syncs left, and the credentials. */
export class Data extends Stack {
  readonly orders: TableV2;
  readonly rawBucket: Bucket;
  readonly webhookSecret: Secret;
  readonly qualiaSecret: Secret;
  readonly internalApiSecret: Secret;
  readonly syncRuns: TableV2;
  readonly artifacts: Bucket;
  readonly netlifeSecret: Secret;
  readonly iterableSecret: Secret;
  readonly databaseSecret: Secret;

  constructor(scope: Construct, config: Config) {
    super(scope, `${config.stage}-Data`, {
      description: 'Marketplace event pipeline: tables, buckets and secrets.',
      terminationProtection: config.retainData,
    });
    const removalPolicy = removalOf(config);

    this.orders = new TableV2(this, 'Orders', {
      partitionKey: { name: 'order_id', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: config.retainData,
      removalPolicy,
      globalSecondaryIndexes: [
        {
          // Sparse: FAILED orders alone carry its keys.
          indexName: 'failed-orders',
          partitionKey: { name: 'failed_shard', type: AttributeType.STRING },
          sortKey: { name: 'failed_at', type: AttributeType.STRING },
          projectionType: ProjectionType.ALL,
        },
      ],
    });

    // docs/adr/0008: who may read a bucket cannot read people's data without this key.
    const key = new Key(this, 'PersonalDataKey', {
      description: 'Encrypts the buckets with personal data of the marketplace event pipeline.',
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
      removalPolicy,
    });
    const accessLogs = new Bucket(this, 'AccessLogs', {
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      removalPolicy,
      lifecycleRules: [{ expiration: Duration.days(400), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
    Validations.of(accessLogs).acknowledge({
      id: 'AwsSolutions::AwsSolutions-S1',
      reason: 'It holds the access logs of the other buckets; logs of its own would be logged again without end.',
    });
    const personalData = (name: string): BucketProps => ({
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      // One call to KMS for many objects: at most some cents a million orders.
      bucketKeyEnabled: true,
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      // Its interface differs from the class in an optional property alone (exactOptionalPropertyTypes).
      serverAccessLogsBucket: accessLogs as IBucket,
      serverAccessLogsPrefix: `${name}/`,
      removalPolicy,
    });

    this.rawBucket = new Bucket(this, 'Raw', {
      ...personalData('raw'),
      versioned: true,
      lifecycleRules: [
        {
          // No colder class: a payload has some 5 kB, and S3 moves nothing below 128 KB. Moving it would cost more than it
          // saves in 400 days.
          expiration: Duration.days(400),
          noncurrentVersionExpiration: Duration.days(30),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
    });

    this.syncRuns = new TableV2(this, 'SyncRuns', {
      partitionKey: { name: 'run_id', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      timeToLiveAttribute: 'expires_at',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: config.retainData,
      removalPolicy,
    });

    this.artifacts = new Bucket(this, 'Artifacts', {
      ...personalData('artifacts'),
      lifecycleRules: [
        {
          // As long as the run's item: a run and what it left go together.
          expiration: Duration.days(90),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    });

    // Each starts with a random text that its readers refuse, until an operator fills it in.
    const secret = (id: string, description: string): Secret => {
      const created = new Secret(this, id, { description, removalPolicy });
      Validations.of(created).acknowledge({
        id: 'AwsSolutions::AwsSolutions-SMG4',
        reason:
          'Both sides of a credential have to change it, so that no Lambda can rotate it alone: an operator does.',
      });
      return created;
    };
    this.webhookSecret = secret('WebhookSecret', 'Who may call the webhook: Basic credentials and signing secrets.');
    this.qualiaSecret = secret('QualiaSecret', 'Username and password for the GraphQL API of Qualia.');
    this.internalApiSecret = secret('InternalApiSecret', 'Bearer token for the internal API.');

    this.netlifeSecret = secret('NetlifeSecret', 'Username and password for the portals of Netlife.');
    this.iterableSecret = secret('IterableSecret', 'API key and JWT secret for Iterable.');
    this.databaseSecret = secret('DatabaseSecret', 'The MySQL database of the Iterable sync, in the form of RDS.');

    new CfnOutput(this, 'OrdersTableName', { value: this.orders.tableName });
    new CfnOutput(this, 'RawBucketName', { value: this.rawBucket.bucketName });
    new CfnOutput(this, 'WebhookSecretArn', { value: this.webhookSecret.secretArn });
    new CfnOutput(this, 'QualiaSecretArn', { value: this.qualiaSecret.secretArn });
    new CfnOutput(this, 'InternalApiSecretArn', { value: this.internalApiSecret.secretArn });
    new CfnOutput(this, 'SyncRunsTableName', { value: this.syncRuns.tableName });
    new CfnOutput(this, 'ArtifactsBucketName', { value: this.artifacts.bucketName });
    new CfnOutput(this, 'NetlifeSecretArn', { value: this.netlifeSecret.secretArn });
    new CfnOutput(this, 'IterableSecretArn', { value: this.iterableSecret.secretArn });
    new CfnOutput(this, 'DatabaseSecretArn', { value: this.databaseSecret.secretArn });
    new CfnOutput(this, 'PersonalDataKeyArn', { value: key.keyArn });
    new CfnOutput(this, 'AccessLogsBucketName', { value: accessLogs.bucketName });
  }

  /**
   * Lets `grantee` do `actions` of S3 to objects of a bucket with personal data, and use its key as far as they need it.
   *
   * @param keys a key, or a prefix and `*`
   */
  grantObjects(bucket: Bucket, grantee: IGrantable, keys: string, ...actions: readonly string[]): void {
    const writes = actions.includes('s3:PutObject');
    // Joining the parts of a large object decrypts them.
    const reads = writes || actions.includes('s3:GetObject');
    bucket.grants.actionsOnObjectKeys(
      grantee,
      keys,
      ...actions,
      ...(reads ? ['kms:Decrypt'] : []),
      ...(writes ? ['kms:GenerateDataKey'] : []),
    );
  }

  /** Lets `reader` read what a secret holds, and nothing more. */
  grantRead(secret: Secret, reader: IGrantable): void {
    Grant.addToPrincipal({
      grantee: reader,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [secret.secretArn],
    });
  }
}
