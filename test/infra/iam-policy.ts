import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const oneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

/** A statement that allows actions on resources, as in a template or a file. */
export const statementSchema = z.looseObject({
  Effect: z.literal('Allow'),
  Action: oneOrMore,
  Resource: oneOrMore,
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
const policySchema = z.object({ Version: z.literal('2012-10-17'), Statement: z.array(statementSchema) });
export type Policy = z.infer<typeof policySchema>;

/** The text of a policy in `lib/bootstrap`. */
export const policyText = (name: string): string =>
  readFileSync(join(__dirname, '../../lib/bootstrap', `${name}.json`), 'utf8');

/** A policy in `lib/bootstrap`, and its length as IAM counts it: without white space. */
export const readPolicy = (name: string) => {
  const text = policyText(name);
  return { policy: policySchema.parse(JSON.parse(text)), length: text.replaceAll(/\s/g, '').length };
};

const matches = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(text);

/** Whether a policy allows an action on a resource, if its conditions are met. */
export const allows = ({ Statement }: Policy, action: string, resource: string): boolean =>
  Statement.some(
    ({ Action, Resource }) =>
      Action.some((pattern) => matches(pattern, action)) && Resource.some((pattern) => matches(pattern, resource)),
  );

/** An ARN in the account and region of the tests. */
export const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:000000000000:${resource}`;
