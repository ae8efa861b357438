import * as z from 'zod';
import type { Assembly, Resource } from './assembly';
import { createResolver } from './intrinsics';
import { type Endpoints, resourceType } from './resource-types';

/** A resource and its physical name. */
export interface Deployed<P> {
  readonly name: string;
  readonly resource: Resource;
  readonly properties: P;
}

/** An assembly with all references resolved. */
export interface Application {
  readonly directory: string;
  /**
   * All resources of the given CloudFormation types, their properties checked by `schema`.
   * @throws {Error} for properties that the embedded AWS does not support
   */
  resources<S extends z.ZodType>(types: readonly string[], schema: S): Deployed<z.infer<S>>[];
  /** Stack name → output name → value. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Resolves `assembly` for servers that listen at `endpoints`. */
export const createApplication = (assembly: Assembly, endpoints: Endpoints): Application => {
  const { resolve, nameOf } = createResolver(assembly, endpoints);
  const stacks = [...assembly.stacks.values()];
  return {
    directory: assembly.directory,
    resources: (types, schema) =>
      stacks
        .flatMap((stack) => [...stack.resources.values()])
        .filter((resource) => types.includes(resource.type))
        .map((resource) => {
          const parsed = schema.safeParse(resolve(resource.stackName, resource.properties));
          if (!parsed.success) {
            const where = `${resource.stackName}: ${resource.type} ${resource.logicalId}`;
            throw new Error(
              `${where} uses properties that the embedded AWS does not support:\n${z.prettifyError(parsed.error)}`,
            );
          }
          return { name: nameOf(resource), resource, properties: parsed.data };
        }),
    outputs: Object.fromEntries(
      stacks.map(({ name, outputs }) => [
        name,
        Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, resolve(name, value)])),
      ]),
    ),
  };
};

/**
 * Refuses an assembly with resources that would silently be missing.
 * @throws {Error} naming every resource of an unknown type
 */
export const refuseUnknownTypes = (assembly: Assembly): void => {
  const unknown = [...assembly.stacks.values()]
    .flatMap((stack) => [...stack.resources.values()])
    .filter(({ type }) => resourceType(type) === undefined)
    .map(({ stackName, logicalId, type }) => `  ${type} (${stackName}: ${logicalId})`);
  if (unknown.length > 0) {
    throw new Error(`The embedded AWS does not support these resources:\n${unknown.join('\n')}`);
  }
};
