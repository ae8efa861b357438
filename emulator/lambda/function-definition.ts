import { statSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { Application } from '../application';
import { arnOf, type Endpoints, region } from '../resource-types';
import type { FunctionDefinition } from './execution-environment';

const functionSchema = z.object({
  Handler: z.string(),
  Description: z.string().default(''),
  Role: z.string(),
  Runtime: z.templateLiteral(['nodejs', z.string()]),
  Code: z.object({ S3Key: z.templateLiteral([z.string(), '.zip']) }),
  Timeout: z.coerce.number().default(3),
  MemorySize: z.coerce.number().default(128),
  ReservedConcurrentExecutions: z.coerce.number().optional(),
  RecursiveLoop: z.enum(['Allow', 'Terminate']).default('Terminate'),
  Environment: z.object({ Variables: z.record(z.string(), z.coerce.string()).default({}) }).optional(),
  LoggingConfig: z
    .object({
      LogFormat: z.enum(['JSON', 'Text']).default('Text'),
      LogGroup: z.string().optional(),
      ApplicationLogLevel: z.string().optional(),
    })
    .optional(),
});

/** Lambda's description of a function, without fields that have no local value, such as the size of the code. */
export interface FunctionConfiguration {
  readonly FunctionName: string;
  readonly FunctionArn: string;
  readonly [property: string]: unknown;
}

/** A function and its reserved concurrency, if the template sets one. */
export interface DeployedFunction {
  readonly definition: FunctionDefinition;
  readonly configuration: FunctionConfiguration;
  readonly reservedConcurrency: number | undefined;
}

/** Reads the functions of the application, each with exactly the environment that its template and Lambda give it. */
export const readFunctions = (
  application: Application,
  endpoints: Endpoints,
  overrides: Readonly<Record<string, string>>,
): DeployedFunction[] =>
  application.resources(['AWS::Lambda::Function'], functionSchema).map(({ name, properties }) => {
    const codeDirectory = path.join(application.directory, `asset.${properties.Code.S3Key.replace(/\.zip$/, '')}`);
    const variables = properties.Environment?.Variables ?? {};
    // A variable missing in the template must be missing here too, so overrides only replace values.
    const overridden = Object.entries(overrides).filter(([key]) => key in variables);
    const logging = properties.LoggingConfig;
    const chosen = { ...variables, ...Object.fromEntries(overridden) };
    const arn = arnOf('lambda', `function:${name}`);
    return {
      configuration: {
        FunctionName: name,
        FunctionArn: arn,
        Runtime: properties.Runtime,
        Role: properties.Role,
        Handler: properties.Handler,
        Description: properties.Description,
        Timeout: properties.Timeout,
        MemorySize: properties.MemorySize,
        LastModified: statSync(codeDirectory).mtime.toISOString().replace('Z', '+0000'),
        Version: '$LATEST',
        Environment: { Variables: chosen },
        PackageType: 'Zip',
        State: 'Active',
        LastUpdateStatus: 'Successful',
        LoggingConfig: {
          LogFormat: logging?.LogFormat ?? 'Text',
          LogGroup: logging?.LogGroup ?? `/aws/lambda/${name}`,
          ApplicationLogLevel: logging?.ApplicationLogLevel,
        },
      },
      reservedConcurrency: properties.ReservedConcurrentExecutions,
      definition: {
        name,
        arn,
        codeDirectory,
        handler: properties.Handler,
        timeoutSeconds: properties.Timeout,
        memoryMegabytes: properties.MemorySize,
        logFormat: logging?.LogFormat ?? 'Text',
        recursiveLoop: properties.RecursiveLoop,
        environment: {
          ...chosen,
          ...serviceEndpoints(endpoints),
          ...staticCredentials,
          AWS_REGION: region,
          AWS_DEFAULT_REGION: region,
          AWS_EXECUTION_ENV: `AWS_Lambda_${properties.Runtime}`,
          AWS_LAMBDA_FUNCTION_NAME: name,
          AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(properties.MemorySize),
          AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
          AWS_LAMBDA_LOG_FORMAT: logging?.LogFormat ?? 'Text',
          ...(logging?.ApplicationLogLevel && { AWS_LAMBDA_LOG_LEVEL: logging.ApplicationLogLevel }),
          AWS_LAMBDA_LOG_GROUP_NAME: logging?.LogGroup ?? `/aws/lambda/${name}`,
          LAMBDA_TASK_ROOT: codeDirectory,
          _HANDLER: properties.Handler,
          LANG: 'en_US.UTF-8',
          TZ: ':UTC',
        },
      },
    };
  });

/** Credentials for SDKs, which require some. The embedded AWS accepts any. */
export const staticCredentials = {
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_SESSION_TOKEN: 'local',
} as const;

/** The variables that point every AWS SDK and the AWS CLI to the services on this machine. */
const serviceEndpoints = (endpoints: Endpoints): Record<string, string> => ({
  AWS_ENDPOINT_URL_S3: endpoints.s3,
  AWS_ENDPOINT_URL_SQS: endpoints.sqs,
  AWS_ENDPOINT_URL_SNS: endpoints.sns,
  AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsmanager,
  AWS_ENDPOINT_URL_LAMBDA: endpoints.lambda,
  AWS_ENDPOINT_URL_SFN: endpoints.sfn,
});
