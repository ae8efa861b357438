import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { PersistenceManager, PreHandler, PreSerializer, SqsQueue, SqsStore } from './fauxqs';

const attributesSchema = z.record(z.string(), z.unknown());
const traceSchema = z
  .object({ AWSTraceHeader: z.object({ StringValue: z.string() }) })
  .transform(({ AWSTraceHeader }) => AWSTraceHeader.StringValue);
const messageSchema = z.looseObject({
  MessageAttributes: attributesSchema.default(() => ({})),
  MessageSystemAttributes: traceSchema.optional().catch(undefined),
});
/** `x-amz-target` header → schema of the request. */
const sendSchemas: Readonly<Record<string, z.ZodType<SendRequest>>> = {
  'AmazonSQS.SendMessage': messageSchema,
  'AmazonSQS.SendMessageBatch': z.looseObject({ Entries: z.array(messageSchema) }),
};
interface SentMessage {
  readonly MessageAttributes?: Record<string, unknown> | undefined;
  readonly MessageSystemAttributes?: string | undefined;
}
interface SendRequest extends SentMessage {
  readonly Entries?: readonly SentMessage[];
}
const receiveSchema = z.object({
  QueueUrl: z.string(),
  AttributeNames: z.array(z.string()).default([]),
  MessageSystemAttributeNames: z.array(z.string()).default([]),
});
const receivedSchema = z.looseObject({
  Messages: z.array(
    z.looseObject({ ReceiptHandle: z.string(), Attributes: z.record(z.string(), z.string()).optional() }),
  ),
});
const rowsSchema = z.array(z.object({ message_id: z.string(), trace_header: z.string() }));

/** The trace headers of messages, which fauxqs does not store. Lambda's detection of recursive loops needs them. */
export interface MessageTraces {
  /** Reads the trace headers of a `SendMessage` or `SendMessageBatch` request. */
  readonly onRequest: PreHandler;
  /** Adds the attribute `AWSTraceHeader` to responses to `ReceiveMessage`. */
  readonly onReply: PreSerializer;
  /** Returns the trace header of a received message. */
  of(queue: SqsQueue, receiptHandle: string): string | undefined;
  /** Restores the trace headers of messages that an earlier start stored. */
  restore(): void;
}

/** Stores trace headers in an extra column of the table to which `persistence` writes messages. */
export const keepMessageTraces = (
  store: SqsStore,
  persistence: PersistenceManager,
  database: DatabaseSync,
): MessageTraces => {
  // fauxqs passes on the attributes object of the request, so that each message keeps its own object.
  const traces = new WeakMap<object, string>();
  const columns = database.prepare("SELECT name FROM pragma_table_info('sqs_messages')").all();
  if (!columns.some(({ name }) => name === 'trace_header')) {
    database.exec('ALTER TABLE sqs_messages ADD COLUMN trace_header TEXT');
  }
  const keep = database.prepare('UPDATE sqs_messages SET trace_header = ? WHERE message_id = ?');
  const insert = persistence.insertMessage.bind(persistence);
  persistence.insertMessage = (queueName, message) => {
    insert(queueName, message);
    const trace = traces.get(message.messageAttributes);
    if (trace !== undefined) {
      keep.run(trace, message.messageId);
    }
  };

  const of = (queue: SqsQueue, receiptHandle: string) => {
    const received = queue.inflightMessages.get(receiptHandle);
    return received && traces.get(received.message.messageAttributes);
  };

  return {
    of,
    async onRequest(request) {
      const schema = sendSchemas[String(request.headers['x-amz-target'])];
      const parsed = schema?.safeParse(request.body).data;
      if (parsed) {
        for (const { MessageAttributes, MessageSystemAttributes } of parsed.Entries ?? [parsed]) {
          const trace = MessageSystemAttributes ?? request.headers['x-amzn-trace-id']?.toString();
          if (MessageAttributes && trace !== undefined) {
            traces.set(MessageAttributes, trace);
          }
        }
        request.body = parsed;
      }
      return undefined;
    },
    async onReply(request, _reply, payload) {
      if (request.headers['x-amz-target'] !== 'AmazonSQS.ReceiveMessage') {
        return payload;
      }
      const sent = receiveSchema.safeParse(request.body).data;
      const received = receivedSchema.safeParse(payload).data;
      const queue = sent && store.getQueue(sent.QueueUrl);
      const names = sent && [...sent.AttributeNames, ...sent.MessageSystemAttributeNames];
      if (!received || !queue || !names?.some((name) => name === 'All' || name === 'AWSTraceHeader')) {
        return payload;
      }
      const Messages = received.Messages.map((message) => {
        const trace = of(queue, message.ReceiptHandle);
        return trace === undefined
          ? message
          : { ...message, Attributes: { ...message.Attributes, AWSTraceHeader: trace } };
      });
      return { ...received, Messages };
    },
    restore() {
      const kept = database
        .prepare('SELECT message_id, trace_header FROM sqs_messages WHERE trace_header IS NOT NULL')
        .all();
      const byId = new Map(rowsSchema.parse(kept).map(({ message_id, trace_header }) => [message_id, trace_header]));
      for (const queue of store.allQueues()) {
        for (const { messageId, messageAttributes } of [...queue.messages, ...queue.delayedMessages]) {
          const trace = byId.get(messageId);
          if (trace !== undefined) {
            traces.set(messageAttributes, trace);
          }
        }
      }
    },
  };
};
