import type { Assembly, Resource, Stack } from './assembly';
import { accountId, arnOf, type Endpoints, isSkipped, region, resourceType } from './resource-types';

/** Resolves template values as CloudFormation does. */
export interface Resolver {
  /** Resolves every intrinsic function in `value`, which is part of `stackName`'s template. */
  resolve(stackName: string, value: unknown): unknown;
  /** Returns the physical name of a resource. */
  nameOf(resource: Resource): string;
}

const urlSuffix = 'amazonaws.com';

/** The methods throw an `Error` for a reference to nothing, or an unsupported intrinsic function. */
export const createResolver = (assembly: Assembly, endpoints: Endpoints): Resolver => {
  const stackNamed = (name: string): Stack => {
    const stack = assembly.stacks.get(name);
    if (!stack) {
      throw new Error(`The assembly has no stack ${name}.`);
    }
    return stack;
  };

  const pseudoParameters = (stackName: string): Readonly<Record<string, unknown>> => ({
    'AWS::AccountId': accountId,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': urlSuffix,
    'AWS::StackName': stackName,
    'AWS::StackId': arnOf('cloudformation', `stack/${stackName}`),
    'AWS::NoValue': undefined,
  });

  const find = (stackName: string, logicalId: string) => {
    const resource = stackNamed(stackName).resources.get(logicalId);
    const type = resource && resourceType(resource.type);
    if (!resource || !type) {
      throw new Error(`${stackName}: a reference to ${logicalId}, which is not a supported resource`);
    }
    return { resource, type };
  };

  const nameOf = (resource: Resource): string => {
    const type = resourceType(resource.type);
    const chosen = type?.nameProperty === undefined ? undefined : resource.properties[type.nameProperty];
    return chosen === undefined
      ? (type?.generateName?.(resource) ?? `${resource.stackName}-${resource.logicalId}`)
      : asText(resolve(resource.stackName, chosen));
  };

  const ref = (stackName: string, id: string): unknown => {
    const pseudo = pseudoParameters(stackName);
    if (id in pseudo) {
      return pseudo[id];
    }
    const { parameters } = stackNamed(stackName);
    if (id in parameters) {
      return parameters[id];
    }
    const { resource, type } = find(stackName, id);
    return type.ref(nameOf(resource), endpoints);
  };

  const getAtt = (stackName: string, logicalId: string, attribute: string): string => {
    const { resource, type } = find(stackName, logicalId);
    const name = nameOf(resource);
    const give = type.attributes?.[attribute];
    if (give) {
      return give(name, endpoints);
    }
    if (isSkipped(resource.type)) {
      return attribute.endsWith('Arn') ? arnOf('skipped', name) : name;
    }
    throw new Error(`${stackName}: ${resource.type} ${logicalId} has no attribute ${attribute} here`);
  };

  const importValue = (name: string): unknown => {
    for (const stack of assembly.stacks.values()) {
      for (const output of Object.values(stack.outputs)) {
        if (output.exportName !== undefined && resolve(stack.name, output.exportName) === name) {
          return resolve(stack.name, output.value);
        }
      }
    }
    throw new Error(`No stack of the assembly exports ${name}.`);
  };

  const sub = (stackName: string, argument: unknown): string => {
    const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
    return asText(template).replace(/\$\{(!?)([^}]+)\}/g, (_match, literal: string, name: string) => {
      if (literal) {
        return `\${${name}}`;
      }
      if (isRecord(variables) && name in variables) {
        return asText(resolve(stackName, variables[name]));
      }
      const [id = '', ...attribute] = name.split('.');
      return attribute.length > 0 ? getAtt(stackName, id, attribute.join('.')) : asText(ref(stackName, id));
    });
  };

  const functions: Readonly<Record<string, (stackName: string, argument: unknown) => unknown>> = {
    Ref: (stackName, id) => ref(stackName, asText(id)),
    'Fn::GetAtt': (stackName, argument) => {
      const [id, ...attribute] = Array.isArray(argument) ? argument : asText(argument).split('.');
      return getAtt(stackName, asText(id), attribute.join('.'));
    },
    'Fn::Join': (stackName, argument) => {
      const [separator, values] = asList(argument);
      return asList(resolve(stackName, values)).map(asText).join(asText(separator));
    },
    'Fn::Split': (stackName, argument) => {
      const [separator, text] = asList(argument);
      return asText(resolve(stackName, text)).split(asText(separator));
    },
    'Fn::Select': (stackName, argument) => {
      const [index, values] = asList(argument);
      return asList(resolve(stackName, values))[Number(index)];
    },
    'Fn::Sub': sub,
    'Fn::ImportValue': (stackName, name) => importValue(asText(resolve(stackName, name))),
  };

  const resolve = (stackName: string, value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map((item) => resolve(stackName, item)).filter((item) => item !== undefined);
    }
    if (!isRecord(value)) {
      return value;
    }
    const [only, ...others] = Object.entries(value);
    if (only && others.length === 0 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      const [name, argument] = only;
      const apply = functions[name];
      if (!apply) {
        throw new Error(`${stackName}: ${name} is not supported here`);
      }
      const resolved = apply(stackName, argument);
      return typeof resolved === 'string' ? localizeApiUrl(resolved, endpoints) : resolved;
    }
    const entries = Object.entries(value).map(([key, item]) => [key, resolve(stackName, item)] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  };

  return { resolve, nameOf };
};

/** CDK builds an HTTP API's URL from its id and the region instead of using `ApiEndpoint`. */
const localizeApiUrl = (text: string, { api }: Endpoints): string =>
  text.replace(/^https:\/\/[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com/, api);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const asList = (value: unknown): unknown[] => {
  if (!Array.isArray(value)) {
    throw new Error(`Expected a list in the template, but got ${JSON.stringify(value)}`);
  }
  return value;
};

const asText = (value: unknown): string => {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new Error(`Expected text in the template, but got ${JSON.stringify(value)}`);
  }
  return String(value);
};
