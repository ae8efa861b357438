import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { parseJson } from '../../../shared/json';
import type { StageConnection } from '../stage-connection';

const resultSchema = z.union([
  z.object({ known: z.literal(true), plan: z.string().nullable(), viewed_at: z.string().nullable() }),
  z.object({ known: z.literal(false) }),
  z.object({ error_code: z.string() }),
]);

/** What the database has of a customer now. */
export type LookedUp = z.output<typeof resultSchema>;

/**
 * Has the Lambda that reads the database look up the plan of a customer and the latest view of one of the pages. Returns
 * undefined if an earlier version deployed the stage, or the Lambda did not respond.
 */
export const lookUpCustomer = async (
  { lambda, iterableExtractFunctionName }: StageConnection,
  customer: { readonly id: string; readonly pages: readonly string[] },
): Promise<LookedUp | undefined> => {
  if (iterableExtractFunctionName === undefined) return undefined;
  const { Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: iterableExtractFunctionName, Payload: JSON.stringify({ customer }) }),
  );
  return resultSchema.safeParse(parseJson(Buffer.from(Payload ?? []))).data;
};
