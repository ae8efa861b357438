import { describeErrorCodes } from './error-codes';
import { createRunInputSchema } from './run-input-schema';
import { createWebhookDescription } from './webhook-openapi';

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The text of each generated document, by its path from the project's root. */
export const generateDocuments = (): Readonly<Record<string, string>> => ({
  'docs/api/webhook.openapi.json': json(createWebhookDescription()),
  'docs/api/run-input.schema.json': json(createRunInputSchema()),
  'docs/errors.md': describeErrorCodes(),
});
