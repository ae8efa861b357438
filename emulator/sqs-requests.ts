import * as z from 'zod';
import type { PreHandler, PreSerializer, SqsQueue, SqsStore } from './fauxqs';
import { notServed } from './not-served';
import { isSnsRequest } from './notifications';
import { escapeXml } from './s3-requests';

const oneSchema = z.object({ QueueUrl: z.string(), ReceiptHandle: z.string() });
const batchSchema = z.object({
  QueueUrl: z.string(),
  Entries: z.array(z.object({ Id: z.string(), ReceiptHandle: z.string() })),
});
const handleSchema = z.uuid();
const formSchema = z.object({ Action: z.string() });
const unknownActionSchema = z.object({ __type: z.literal('com.amazonaws.sqs#InvalidAction') });
const deletedSchema = z.object({ Successful: z.array(z.object({ Id: z.string() })) });

type Request = Parameters<PreHandler>[0];
type Reply = Parameters<PreHandler>[1];

const targetOf = (request: Request): string => request.headers['x-amz-target']?.toString() ?? '';

/** Corrects responses in which fauxqs differs from SQS: to invalid receipt handles and to unknown actions. */
export const correctSqs = (store: SqsStore): { readonly onRequest: PreHandler; readonly onReply: PreSerializer } => {
  /** fauxqs uses a UUID for each receive. An expired receipt handle looks like any other UUID. */
  const isInvalidHandle = (queue: SqsQueue, handle: string): boolean =>
    !handleSchema.safeParse(handle).success ||
    [...store.allQueues()].some((other) => other !== queue && other.inflightMessages.has(handle));

  return {
    async onRequest(request, reply) {
      const target = targetOf(request);
      if (request.method === 'POST' && request.url === '/' && !target.startsWith('AmazonSQS.')) {
        return refuseOtherCalls(request, reply);
      }
      if (target !== 'AmazonSQS.DeleteMessage' && target !== 'AmazonSQS.ChangeMessageVisibility') {
        return undefined;
      }
      const sent = oneSchema.safeParse(request.body).data;
      const queue = sent && store.getQueue(sent.QueueUrl);
      return queue && isInvalidHandle(queue, sent.ReceiptHandle)
        ? refuse(reply, 'ReceiptHandleIsInvalid', invalidHandle(sent.ReceiptHandle))
        : undefined;
    },

    async onReply(request, reply, payload) {
      const target = targetOf(request);
      if (unknownActionSchema.safeParse(payload).success) {
        reply.header('content-type', 'application/x-amz-json-1.0');
        return unknownAction(target.replace('AmazonSQS.', ''));
      }
      const sent = target === 'AmazonSQS.DeleteMessageBatch' ? batchSchema.safeParse(request.body).data : undefined;
      const queue = sent && store.getQueue(sent.QueueUrl);
      const deletion = deletedSchema.safeParse(payload).data;
      if (!queue || !deletion) {
        return payload;
      }
      const invalid = sent.Entries.filter(({ ReceiptHandle }) => isInvalidHandle(queue, ReceiptHandle));
      return {
        Successful: deletion.Successful.filter((done) => !invalid.some(({ Id }) => Id === done.Id)),
        Failed: invalid.map(({ Id, ReceiptHandle }) => ({
          Id,
          SenderFault: true,
          Code: 'ReceiptHandleIsInvalid',
          Message: invalidHandle(ReceiptHandle),
        })),
      };
    },
  };
};

/** Rejects a call to another service, or to SQS in the protocol of old SDKs. */
const refuseOtherCalls = async (request: Request, reply: Reply): Promise<Reply | undefined> => {
  const action = formSchema.safeParse(request.body).data?.Action;
  if (action === 'GetCallerIdentity' || isSnsRequest(request.body)) {
    return undefined;
  }
  if (action !== undefined) {
    const message = `The embedded AWS serves SQS in the JSON protocol only, and not ${action}.`;
    return reply
      .status(400)
      .header('content-type', 'text/xml')
      .send(
        `<ErrorResponse><Error><Code>InvalidAction</Code><Message>${escapeXml(message)}</Message></Error></ErrorResponse>`,
      );
  }
  const { __type: type, message } = unknownAction(targetOf(request) || `${request.method} ${request.url}`);
  return refuse(reply, type.replace(/^.*#/, ''), message);
};

const invalidHandle = (handle: string) => `The input receipt handle "${handle}" is not a valid receipt handle.`;

const unknownAction = (action: string) => ({
  __type: 'com.amazonaws.sqs#UnknownOperationException',
  message: notServed(action, 'SQS'),
});

const refuse = (reply: Reply, name: string, message: string) =>
  reply
    .status(400)
    .header('content-type', 'application/x-amz-json-1.0')
    .header('x-amzn-query-error', `${name};Sender`)
    .send(JSON.stringify({ __type: `com.amazonaws.sqs#${name}`, message }));
