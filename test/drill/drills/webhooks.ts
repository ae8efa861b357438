import * as z from 'zod';
import type { Drill } from '../drill';
import type { DrillStage } from '../stage';

/** Far above the burst that the HTTP API of prod accepts. */
const floodCalls = 3_000;
const refusedSchema = z.object({ bodies: z.array(z.object({ id: z.string() })) });
const wrongPassword = 'an old password';

/** Has Qualia send a webhook that is accepted, and waits until its order is processed. */
const acceptOne = async ({ newOrder, untilStatus }: DrillStage): Promise<void> => {
  const { id, status } = await newOrder();
  if (status !== 200) throw new Error(`The webhook responded with ${status}.`);
  await untilStatus([id], 'PROCESSED');
};

/** Drills of the alarms on webhooks. */
export const webhookDrills: readonly Drill[] = [
  {
    alarms: { 'webhook-5xx': /SECRET_UNREADABLE/, 'webhook-5xx-few-calls': /SECRET_UNREADABLE/ },
    cause: 'the webhook secret has the wrong shape',
    break: async (stage) => {
      await stage.putSecret('WebhookSecret', { basic: 'none' });
      for (let minute = 0; minute < 3; minute++) {
        // Two errors in a minute count. It can end in between, so there is one more.
        for (let call = 0; call < 3; call++) await stage.newOrder();
        await stage.aws.advance(1);
      }
      return {};
    },
    fix: async (stage) => {
      await stage.putSecret('WebhookSecret');
      await acceptOne(stage);
    },
  },
  {
    alarms: { 'all-webhooks-refused': /unauthorized/ },
    cause: 'Qualia sends a webhook now and then, with an old password',
    break: async (stage) => {
      await stage.aws.advance(120);
      await stage.registerWebhook(wrongPassword);
      for (let halfHour = 0; halfHour < 2; halfHour++) {
        await stage.newOrder();
        await stage.aws.advance(30);
      }
      return {};
    },
    fix: async (stage) => {
      await stage.registerWebhook();
      await acceptOne(stage);
    },
  },
  {
    alarms: {
      'webhook-throttled': /POST \/webhooks\/qualia +127/,
      'webhook-refusals': /unauthorized +127\.0\.0\.1 +\d{3}/,
    },
    cause: 'an untrusted caller floods the webhook',
    break: async (stage) => {
      await stage.flood(floodCalls);
      // The webhook keeps what an authenticated sender posts.
      await stage.until('a refused body', async () => (await stage.post({ order: 'of an unknown format' })) === 422);
      const { bodies } = await stage.query(['webhooks', 'refused', 'list'], refusedSchema);
      return { body: bodies[0]?.id ?? '' };
    },
    fix: async () => undefined,
  },
  {
    alarms: { 'webhook-bodies-not-kept': /refused +kept\n\S+ \S+ +\d+ +\d+/ },
    cause: 'Qualia sends a new format faster than bodies are kept',
    break: async ({ post }) => {
      // A process keeps 60 bodies in a minute, and a minute can end in between.
      for (let call = 0; call < 200; call++) await post({ order: `of an unknown format ${call}` });
      return {};
    },
    fix: async () => undefined,
  },
  {
    alarms: { 'no-webhooks': /bin\(1h\) +webhooks/ },
    cause: 'Qualia has lost the webhook: none arrives for a day',
    break: async (stage) => {
      await stage.aws.advance(24 * 60);
      return {};
    },
    fix: acceptOne,
  },
];
