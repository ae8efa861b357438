import * as z from 'zod';
import type { Application } from './application';
import { type PreHandler, publish, type SnsStore, type SqsStore } from './fauxqs';
import { notServed } from './not-served';
import { region } from './resource-types';
import { escapeXml } from './s3-requests';

const topicSchema = z.object({ FifoTopic: z.literal(false).optional() });
const subscriptionSchema = z.object({
  TopicArn: z.string(),
  Protocol: z.enum(['sqs', 'email'], 'the embedded AWS delivers to queues, and accepts e-mail addresses'),
  Endpoint: z.string(),
  RawMessageDelivery: z.boolean().optional(),
  FilterPolicy: z.never().optional(),
});

/** Creates the topics and subscriptions of an application. Nothing is delivered to e-mail addresses. */
export const createTopics = (application: Application, store: SnsStore): void => {
  for (const { name } of application.resources(['AWS::SNS::Topic'], topicSchema)) {
    store.createTopic(name, undefined, undefined, region);
  }
  for (const { properties } of application.resources(['AWS::SNS::Subscription'], subscriptionSchema)) {
    const { TopicArn, Protocol, Endpoint, RawMessageDelivery } = properties;
    store.subscribe(TopicArn, Protocol, Endpoint, RawMessageDelivery ? { RawMessageDelivery: 'true' } : undefined);
  }
};

/** Publishes a message to a topic, as `Publish` does. */
export const createPublisher =
  (topics: SnsStore, queues: SqsStore) =>
  (topicArn: string, subject: string, message: string): void => {
    publish({ TopicArn: topicArn, Subject: subject, Message: message }, topics, queues);
  };

/** Version of SNS' API, which each request contains. */
const snsVersion = '2010-03-31';
/** Reads two fields only: the body of another request can be a buffer of megabytes. */
const requestSchema = z.object({ Version: z.literal(snsVersion), Action: z.string() });
const formSchema = z.record(z.string(), z.unknown());

/** Whether the form of a request is one to SNS. */
export const isSnsRequest = (form: unknown): boolean => requestSchema.safeParse(form).success;

/** Action → its parameters. */
const servedActions: Readonly<Record<string, RegExp>> = {
  Publish: /^(TopicArn|Message|Subject|MessageAttributes\.entry\.\d+\..+)$/,
  Subscribe: /^(TopicArn|Protocol|Endpoint|ReturnSubscriptionArn|Attributes\.entry\.\d+\.(key|value))$/,
  Unsubscribe: /^SubscriptionArn$/,
  ListTopics: /^NextToken$/,
  ListSubscriptions: /^NextToken$/,
  ListSubscriptionsByTopic: /^(TopicArn|NextToken)$/,
  GetTopicAttributes: /^TopicArn$/,
};

/** Refuses actions and parameters of SNS that fauxqs ignores or does not serve as SNS does. */
export const refuseUnservedSns = (): PreHandler => async (request, reply) => {
  const form = requestSchema.safeParse(request.body).data;
  const what = form && unservedIn(form.Action, formSchema.parse(request.body));
  return what === undefined
    ? undefined
    : reply
        .status(400)
        .header('content-type', 'text/xml')
        .send(
          `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>${escapeXml(what)}</Message></Error></ErrorResponse>`,
        );
};

const unservedIn = (action: string, form: Readonly<Record<string, unknown>>): string | undefined => {
  const served = Object.hasOwn(servedActions, action) ? servedActions[action] : undefined;
  if (!served) return notServed(action, 'SNS');
  const { Version: _, Action: __, ...parameters } = form;
  const unknown = Object.keys(parameters).find((name) => !served.test(name));
  if (unknown !== undefined) return notServed(`the parameter ${unknown}`, `SNS ${action}`);
  const { Protocol } = parameters;
  return action === 'Subscribe' && Protocol !== 'sqs'
    ? notServed(`the protocol ${String(Protocol)}`, 'SNS Subscribe')
    : undefined;
};
