import { Webhook } from 'standardwebhooks';
import { createAuthenticator } from '../../../../lambdas/webhook/authenticate';
import type { RoundStart, WriteOutcome } from '../../../../shared/orders/repository';
import { createRoundStarter } from '../../../../shared/orders/start-round';
import { freezeClock } from '../../../support/clock';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { orders } from '../../../support/orders';
import { secretOf } from '../../../support/secrets';
import { activity, notification } from '../../../support/webhook-calls';
import { callWebhook } from '../../../support/webhook-handler';

const secret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`;

let logs: CapturedLogs;
let clock: ReturnType<typeof freezeClock>;
beforeEach(() => {
  logs = captureLogs();
  clock = freezeClock();
});
afterEach(() => {
  logs.stop();
  jest.useRealTimers();
});

/** A signed call that can be sent repeatedly, unchanged, and the number of messages that it has caused. */
const recordCall = (body: object) => {
  const text = JSON.stringify(body);
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(clock.now() / 1_000),
    'webhook-signature': new Webhook(secret).sign('msg_1', new Date(clock.now()), text),
  };
  let newest: RoundStart | undefined;
  let messages = 0;
  const startRound = createRoundStarter({
    repository: {
      startRound: async (start): Promise<WriteOutcome> => {
        if (newest !== undefined && newest.round >= start.round) {
          const { round, notificationType, occurredAt } = newest;
          return {
            applied: false,
            order: orders.processed({ round, notification_type: notificationType, occurred_at: occurredAt }),
          };
        }
        newest = start;
        return { applied: true };
      },
    },
    downloadQueue: {
      send: async () => {
        messages += 1;
      },
    },
    now: clock.now,
  });
  const authenticate = createAuthenticator(secretOf({ basic: [], signing_secrets: [secret] }));
  return { call: () => callWebhook({ body: text, headers }, { authenticate, startRound }), messages: () => messages };
};

test('a notification that is replayed within 5 minutes is a duplicate and sends no message', async () => {
  const { call, messages } = recordCall(notification({ timestamp: '2026-01-01T00:00:00.000Z' }));
  expect((await call()).body).toMatchObject({ status: 'queued' });
  clock.advance(299_000);
  expect(await call()).toMatchObject({ status: 200, body: { status: 'duplicate' } });
  expect(messages()).toBe(1);
});

test('an activity that is replayed within 5 minutes starts a new round, which downloads the order again', async () => {
  const { call, messages } = recordCall(activity());
  await call();
  clock.advance(299_000);
  expect(await call()).toMatchObject({ status: 200, body: { status: 'queued' } });
  expect(messages()).toBe(2);
});

test.each([notification(), activity()])('a call that is replayed after 5 minutes is refused', async (body) => {
  const { call, messages } = recordCall(body);
  clock.advance(301_000);
  expect((await call()).status).toBe(401);
  expect(messages()).toBe(0);
});
