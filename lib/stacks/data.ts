import { CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import { AttributeType, Billing, ProjectionType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, type BucketProps, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { LogGroup } from '../constructs/log-group';
import { removalOf } from '../removal';

/** Data that outlives every deployment: orders, raw payloads, artifacts of the syncs, and credentials. */
export class Data extends Stack {
  readonly orders: TableV2;
  readonly rawBucket: Bucket;
  readonly webhookSecret: Secret;
  readonly qualiaSecret: Secret;
  readonly internalApiSecret: Secret;
  readonly syncRuns: TableV2;
  readonly operations: TableV2;
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
          // Sparse: only FAILED orders have its keys.
          indexName: 'failed-orders',
          partitionKey: { name: 'failed_shard', type: AttributeType.STRING },
          sortKey: { name: 'failed_at', type: AttributeType.STRING },
          projectionType: ProjectionType.ALL,
        },
      ],
    });

    // docs/adr/0008: access to a bucket is not enough to read personal data; it takes this key as well.
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
      reason: 'It holds the access logs of the other buckets. Logging its own access would never end.',
    });
    const personalData = (name: string): BucketProps => ({
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      // One call to KMS serves many objects: at most a few cents per million orders.
      bucketKeyEnabled: true,
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      // The class differs from its interface in one optional property (exactOptionalPropertyTypes).
      serverAccessLogsBucket: accessLogs as IBucket,
      serverAccessLogsPrefix: `${name}/`,
      removalPolicy,
    });

    this.rawBucket = new Bucket(this, 'Raw', {
      ...personalData('raw'),
      versioned: true,
      lifecycleRules: [
        {
          // No transition to a colder class: a payload has about 5 kB, and S3 moves nothing below 128 KB. The transition
          // would cost more than it saves in 400 days.
          expiration: Duration.days(400),
          noncurrentVersionExpiration: Duration.days(30),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
        {
          // Bodies that the webhook refused (docs/adr/0023). S3 applies the shorter of two rules. The expiration of an object
          // leaves its version, which is deleted a day later: 30 days in total.
          prefix: 'refused/',
          expiration: Duration.days(29),
          noncurrentVersionExpiration: Duration.days(1),
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

    // What operators changed, and what they should know: pauses, issues, leases, unsent messages. A kind is one partition.
    this.operations = new TableV2(this, 'Operations', {
      partitionKey: { name: 'kind', type: AttributeType.STRING },
      sortKey: { name: 'id', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      timeToLiveAttribute: 'expires_at',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: config.retainData,
      removalPolicy,
    });

    const actions = new LogGroup(this, 'actions', {
      config,
      name: `/marketplace/${config.stage}/actions`,
      // Who changed what is asked for long after the lines of the Lambdas are gone.
      retention: RetentionDays.THIRTEEN_MONTHS,
    });

    this.artifacts = new Bucket(this, 'Artifacts', {
      ...personalData('artifacts'),
      lifecycleRules: [
        {
          // The same as the run's item: a run and its artifacts expire together.
          expiration: Duration.days(90),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    });

    // The initial value is random text, which the Lambdas reject until an operator writes the real one.
    const secret = (id: string, description: string): Secret => {
      const created = new Secret(this, id, { description, removalPolicy });
      Validations.of(created).acknowledge({
        id: 'AwsSolutions::AwsSolutions-SMG4',
        reason: 'A credential must change at the vendor as well, so a Lambda cannot rotate it: an operator does.',
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
    new CfnOutput(this, 'OperationsTableName', { value: this.operations.tableName });
    new CfnOutput(this, 'ActionsLogGroupName', { value: actions.logGroupName });
    new CfnOutput(this, 'ArtifactsBucketName', { value: this.artifacts.bucketName });
    new CfnOutput(this, 'NetlifeSecretArn', { value: this.netlifeSecret.secretArn });
    new CfnOutput(this, 'IterableSecretArn', { value: this.iterableSecret.secretArn });
    new CfnOutput(this, 'DatabaseSecretArn', { value: this.databaseSecret.secretArn });
    new CfnOutput(this, 'PersonalDataKeyArn', { value: key.keyArn });
    new CfnOutput(this, 'AccessLogsBucketName', { value: accessLogs.bucketName });
  }

  /**
   * Allows `grantee` actions of S3 on objects of a bucket with personal data, and the use of its key that they need.
   *
   * @param keys a key, or a prefix and `*`
   */
  grantObjects(bucket: Bucket, grantee: IGrantable, keys: string, ...actions: readonly string[]): void {
    const writes = actions.includes('s3:PutObject');
    // Completing a multipart upload decrypts its parts.
    const reads = writes || actions.includes('s3:GetObject');
    bucket.grants.actionsOnObjectKeys(
      grantee,
      keys,
      ...actions,
      ...(reads ? ['kms:Decrypt'] : []),
      ...(writes ? ['kms:GenerateDataKey'] : []),
    );
  }

  /** Allows `reader` to read the value of a secret. */
  grantRead(secret: Secret, reader: IGrantable): void {
    Grant.addToPrincipal({
      grantee: reader,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [secret.secretArn],
    });
  }
}
