import type { ModelClient } from './world';

/** The code that a process runs. `earlier`: the same decisions, but its messages have the format of the first release. */
export type Release = 'earlier' | 'present';

/** The fields of the first messages of orders. All others were added later. */
const firstFields = ['order_id', 'round', 'request_id', 's3_key', 'checksum'];

type Fields = Readonly<Record<string, unknown>>;

/** A message of an order as the first release would have sent it. */
export const earlierMessage = (message: Fields): Fields =>
  'order_id' in message
    ? Object.fromEntries(Object.entries(message).filter(([name]) => firstFields.includes(name)))
    : message;

const earlierBody = (body: unknown): string => JSON.stringify(earlierMessage(JSON.parse(String(body)) as Fields));

interface SentInput {
  readonly MessageBody?: unknown;
  readonly Entries?: readonly { readonly MessageBody?: unknown }[];
  readonly ExpressionAttributeValues?: Fields;
}

/** Replaces what a command sends. Commands are made for one call each. */
const rewrite = (command: { readonly input: object }): void => {
  const { MessageBody, Entries, ExpressionAttributeValues: values } = command.input as SentInput;
  if (MessageBody !== undefined) Object.assign(command.input, { MessageBody: earlierBody(MessageBody) });
  for (const entry of Entries ?? []) {
    if (entry.MessageBody !== undefined) Object.assign(entry, { MessageBody: earlierBody(entry.MessageBody) });
  }
  const kept = values?.[':message'];
  if (kept !== undefined) {
    const message = earlierMessage(kept as Fields);
    Object.assign(command.input, { ExpressionAttributeValues: { ...values, ':message': message } });
  }
};

/** A client whose messages, sent or kept, have the format of the first release. */
export const asEarlier = (client: ModelClient): ModelClient => ({
  send: async (command) => {
    rewrite(command);
    return client.send(command);
  },
});
