import { join } from 'node:path';
import { Duration, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { FunctionOptions } from 'aws-cdk-lib/aws-lambda';
import {
  ApplicationLogLevel,
  Architecture,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogLevel, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { metricsNamespace } from '../metrics';
import { LogGroup } from './log-group';

const projectRoot = join(__dirname, '../..');

/**
 * Packages that a bundle holds in a lean form of ours, by esbuild's alias (paths from the project's root).
 * An alias covers the package's subpaths too; the last entry leads those that our own undici imports back to it.
 */
export const substitutions: Readonly<Record<string, string>> = {
  '@aws-sdk/credential-provider-node': './lib/bundling/environment-credentials.ts',
  '@aws-sdk/middleware-endpoint-discovery': './lib/bundling/endpoint-discovery.ts',
  '@smithy/core/checksum': './lib/bundling/checksum.ts',
  '@smithy/core/event-streams': './lib/bundling/event-streams.ts',
  '@stablelib/base64': './lib/bundling/base64.ts',
  'fast-sha256': './lib/bundling/fast-sha256.ts',
  undici: './lib/bundling/undici.ts',
  'undici/lib': 'undici/lib',
};

const youngGeneration = './lib/bundling/young-generation.ts';

interface NodeFunctionProps {
  readonly config: Config;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Invocations kept free for it, and its most at once. Default: it shares the account's. */
  readonly reservedConcurrency?: number | undefined;
  /** Keeps V8's young generation small: for a function that streams for minutes. Default: as V8 likes. */
  readonly smallYoungGeneration?: boolean;
  /** Where it runs, if it has to reach something inside of a VPC. */
  readonly network?: Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'> | undefined;
}

/**
 * One of our Lambdas: `lambdas/<name>/index.ts`, bundled small for short cold starts, with its log group and
 * the environment variables that all of them share.
 */
export class NodeFunction extends NodejsFunction {
  /** What the Lambda acts as. */
  readonly executionRole: Role;

  constructor(scope: Construct, name: string, props: NodeFunctionProps) {
    const { config } = props;
    const functionName = `${config.stage}-marketplace-${name}`;
    const logs = new LogGroup(scope, `${name}-logs`, { config, name: `/aws/lambda/${functionName}` });
    // A role of its own, as the one that CDK makes may write to every log group.
    const role = new Role(scope, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logs.grantWrite(role);

    super(scope, name, {
      functionName,
      description: props.description,
      role,
      entry: join(projectRoot, 'lambdas', name, 'index.ts'),
      projectRoot,
      depsLockFilePath: join(projectRoot, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMb,
      timeout: Duration.seconds(props.timeoutSeconds),
      tracing: Tracing.ACTIVE,
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
      ...props.network,
      logGroup: logs,
      // Lambda's own START, END and REPORT lines would be half of the log bill.
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN,
      // Lambda's own filter: it would drop what the logger's level lets pass.
      applicationLogLevelV2: ApplicationLogLevel[config.logLevel],
      awsSdkConnectionReuse: false, // The SDK keeps connections alive without the variable that this would set.
      bundling: {
        format: OutputFormat.CJS,
        minify: true,
        mainFields: ['module', 'main'],
        bundleAwsSDK: true,
        logLevel: LogLevel.WARNING,
        inject: props.smallYoungGeneration ? [youngGeneration] : [],
        esbuildArgs: {
          '--alias': Object.entries(substitutions).map(([from, to]) => `${from}=${to}`),
          '--legal-comments': 'none',
        },
      },
      environment: {
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: metricsNamespace,
        POWERTOOLS_LOG_LEVEL: config.logLevel,
        STAGE: config.stage,
        SERVICE_VERSION: config.version,
        COMMIT_SHA: config.commitSha,
        ...props.environment,
      },
    });

    this.executionRole = role;
    Validations.of(role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray has no resources to name: PutTraceSegments and PutTelemetryRecords take only "*".',
    });
  }
}
