import * as z from 'zod';
import type { PreHandler, PreSerializer, SqsQueue, SqsStore } from './fauxqs';
import { notServed } from './json-service';
import { escapeXml } from './s3-requests';

const oneSchema = z.object({ QueueUrl: z.string(), ReceiptHandle: z.string() });
const batchSchema = z.object({
  QueueUrl: z.string(),
  Entries: z.array(z.object({ Id: z.string(), ReceiptHandle: z.string() })),
});
const formSchema = z.object({ Action: z.string() });
const unknownActionSchema = z.object({ __type: z.literal('com.amazonaws.sqs#InvalidAction') });
const deletedSchema = z.object({ Successful: z.array(z.object({ Id: z.string() })) });

type Request = Parameters<PreHandler>[0];
type Reply = Parameters<PreHandler>[1];

const targetOf = (request: Request): string => request.headers['x-amz-target']?.toString() ?? '';

/** Corrects what fauxqs answers in another way than SQS: receipt handles that no receive gave, and unknown actions. */
export const correctSqs = (store: SqsStore): { readonly onRequest: PreHandler; readonly onReply: PreSerializer } => {
  /** fauxqs gives each receive a UUID. One that was given long ago cannot be told from any other. */
  const isNonsense = (queue: SqsQueue, handle: string): boolean =>
    !z.uuid().safeParse(handle).success ||
    [...store.allQueues()].some((other) => other !== queue && other.inflightMessages.has(handle));

  return {
    async onRequest(request, reply) {
      const target = targetOf(request);
      if (request.method === 'POST' && request.url === '/' && !target.startsWith('AmazonSQS.')) {
        return refuseStranger(request, reply);
      }
      if (target !== 'AmazonSQS.DeleteMessage' && target !== 'AmazonSQS.ChangeMessageVisibility') {
        return undefined;
      }
      const asked = oneSchema.safeParse(request.body).data;
      const queue = asked && store.getQueue(asked.QueueUrl);
      return queue && isNonsense(queue, asked.ReceiptHandle)
        ? refuse(reply, 'ReceiptHandleIsInvalid', invalidHandle(asked.ReceiptHandle))
        : undefined;
    },

    async onReply(request, reply, payload) {
      const target = targetOf(request);
      if (unknownActionSchema.safeParse(payload).success) {
        reply.header('content-type', 'application/x-amz-json-1.0');
        return unknownAction(target.replace('AmazonSQS.', ''));
      }
      const asked = target === 'AmazonSQS.DeleteMessageBatch' ? batchSchema.safeParse(request.body).data : undefined;
      const queue = asked && store.getQueue(asked.QueueUrl);
      const answer = deletedSchema.safeParse(payload).data;
      if (!queue || !answer) {
        return payload;
      }
      const nonsense = asked.Entries.filter(({ ReceiptHandle }) => isNonsense(queue, ReceiptHandle));
      return {
        Successful: answer.Successful.filter((done) => !nonsense.some(({ Id }) => Id === done.Id)),
        Failed: nonsense.map(({ Id, ReceiptHandle }) => ({
          Id,
          SenderFault: true,
          Code: 'ReceiptHandleIsInvalid',
          Message: invalidHandle(ReceiptHandle),
        })),
      };
    },
  };
};

/** A call of another service, or of SQS in the protocol of old SDKs. fauxqs knows SNS, which nothing here uses. */
const refuseStranger = async (request: Request, reply: Reply): Promise<Reply | undefined> => {
  const action = formSchema.safeParse(request.body).data?.Action;
  if (action === 'GetCallerIdentity') {
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
