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
import { omitted, parseAwsClients, substitutionsFor } from '../bundling/substitutions';
import type { Config } from '../config';
import { metricsNamespace } from '../metrics';
import { LogGroup } from './log-group';

const projectRoot = join(__dirname, '../..');

const youngGeneration = './lib/bundling/young-generation.ts';

interface NodeFunctionProps {
  readonly config: Config;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Reserved concurrency, which is also the maximum. Default: the function shares the account's concurrency. */
  readonly reservedConcurrency?: number | undefined;
  /** Keeps V8's young generation small, for a function that streams data for minutes. Default: V8 decides. */
  readonly smallYoungGeneration?: boolean;
  /** The VPC, if the function must reach something inside one. */
  readonly network?: Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'> | undefined;
}

/**
 * The Lambda of `lambdas/<name>/index.ts`: bundled small for short cold starts, with its own log group and role, and the
 * environment variables that all Lambdas share.
 */
export class NodeFunction extends NodejsFunction {
  /** Role of the Lambda. */
  readonly executionRole: Role;

  constructor(scope: Construct, name: string, props: NodeFunctionProps) {
    const { config } = props;
    const substitutions = substitutionsFor(parseAwsClients(scope.node.tryGetContext('awsClients')));
    const functionName = `${config.stage}-marketplace-${name}`;
    const logs = new LogGroup(scope, `${name}-logs`, { config, name: `/aws/lambda/${functionName}` });
    // The role that CDK would create may write to every log group.
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
      // Lambda's START, END and REPORT lines would double the cost of logs.
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN,
      // Lambda filters as well: it must pass every line that the logger writes.
      applicationLogLevelV2: ApplicationLogLevel[config.logLevel],
      // The SDK keeps connections alive without the environment variable that this option sets.
      awsSdkConnectionReuse: false,
      bundling: {
        format: OutputFormat.CJS,
        minify: true,
        mainFields: ['module', 'main'],
        bundleAwsSDK: true,
        externalModules: [...omitted],
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
      reason: 'PutTraceSegments and PutTelemetryRecords of X-Ray accept only "*" as their resource.',
    });
  }
}
