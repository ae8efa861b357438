import * as z from 'zod';
import { createApplication } from '../../emulator/application';
import { readAssembly } from '../../emulator/assembly';

/** One action on one resource that a role's statement allows. */
export interface Grant {
  readonly action: string;
  /** An ARN, or a pattern of ARNs. */
  readonly resource: string;
}

const oneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const policySchema = z.object({
  Roles: z.array(z.string()),
  PolicyDocument: z.object({
    Statement: z.array(z.object({ Effect: z.literal('Allow'), Action: oneOrMore, Resource: oneOrMore })),
  }),
});
const functionSchema = z.object({ FunctionName: z.string(), Role: z.string() });
const machineSchema = z.object({ RoleArn: z.string(), DefinitionString: z.string() });
const ruleSchema = z.object({ Targets: z.array(z.object({ Arn: z.string(), RoleArn: z.string().optional() })) });

/** No endpoints: ARNs do not contain them. */
/** For an application that does not run. */
export const noEndpoints = {
  s3: '',
  sqs: '',
  dynamodb: '',
  secretsmanager: '',
  lambda: '',
  sfn: '',
  logs: '',
  sts: '',
  cloudwatch: '',
  sns: '',
  events: '',
  scheduler: '',
  api: '',
};

/** Reads the permissions of all roles in a cloud assembly, with the ARNs of the embedded AWS. */
export const readRoles = (assemblyDirectory: string) => {
  const application = createApplication(readAssembly(assemblyDirectory), noEndpoints);
  const policies = application.resources(['AWS::IAM::Policy'], policySchema);
  const grantsOf = (roleArn: string): Grant[] =>
    policies
      .filter(({ properties }) => properties.Roles.some((role) => roleArn.endsWith(`:${role}`)))
      .flatMap(({ properties }) => properties.PolicyDocument.Statement)
      .flatMap(({ Action, Resource }) =>
        Action.flatMap((action) => Resource.map((resource) => ({ action, resource }))),
      );

  return {
    outputs: z.record(z.string(), z.string()).parse(Object.assign({}, ...Object.values(application.outputs))),
    /** Grants of each Lambda, by its name. */
    functions: new Map(
      application
        .resources(['AWS::Lambda::Function'], functionSchema)
        .map(({ properties }) => [properties.FunctionName, grantsOf(properties.Role)]),
    ),
    machines: application
      .resources(['AWS::StepFunctions::StateMachine'], machineSchema)
      .map(({ properties }) => ({ grants: grantsOf(properties.RoleArn), definition: properties.DefinitionString })),
    /** Targets of rules with a role. */
    rules: application
      .resources(['AWS::Events::Rule'], ruleSchema)
      .flatMap(({ properties }) => properties.Targets)
      .flatMap(({ Arn, RoleArn }) => (RoleArn === undefined ? [] : [{ target: Arn, grants: grantsOf(RoleArn) }])),
    roleCount: application.resources(['AWS::IAM::Role'], z.object({})).length,
  };
};
