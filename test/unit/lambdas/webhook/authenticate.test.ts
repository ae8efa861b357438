import * as fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { createAuthenticator, type WebhookSecret, webhookSecretSchema } from '../../../../lambdas/webhook/authenticate';
import { PipelineError } from '../../../../shared/errors';
import { freezeClock } from '../../../support/clock';
import { secretOf, unreadableSecret } from '../../../support/secrets';
import { basicAuthorization } from '../../../support/webhook-calls';

const key = (letter: string): string => `whsec_${Buffer.from(letter.repeat(24)).toString('base64')}`;

const known: WebhookSecret = {
  basic: [
    { username: 'qualia', password: 'first' },
    { username: 'gateway', password: 'with:colons:' },
    { username: 'üser', password: 'pässwörd' },
  ],
  signing_secrets: [key('a'), key('b')],
};
const body = Buffer.from('{"order_id":"QO-1","note":"ü"}');

/** The headers of a signature under another name. */
const as = (prefix: string, headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace('webhook', prefix), value]));

const signIn = (headers: Record<string, string | undefined>, bytes: Buffer = body, secret: WebhookSecret = known) =>
  createAuthenticator(secretOf(secret))(headers, bytes);

describe('HTTP Basic', () => {
  test.each(known.basic.map(({ username, password }) => [username, password] as const))(
    'lets %s:%s in',
    async (username, password) => {
      expect(await signIn({ authorization: basicAuthorization(username, password) })).toBe(true);
    },
  );

  test.each(['basic', 'BASIC', 'Basic  '])('the scheme may be written %p', async (scheme) => {
    const [, encoded] = basicAuthorization('qualia', 'first').split(' ');
    expect(await signIn({ authorization: `${scheme} ${encoded}` })).toBe(true);
  });

  test.each<[string, string | undefined]>([
    ['no header', undefined],
    ['an empty one', ''],
    ['a wrong password', basicAuthorization('qualia', 'second')],
    ['a wrong username', basicAuthorization('nobody', 'first')],
    ['the username of one and the password of another', basicAuthorization('qualia', 'with:colons:')],
    ['a password cut at its colon', basicAuthorization('gateway', 'with')],
    ['a password in another case', basicAuthorization('qualia', 'First')],
    ['a password with a space more', basicAuthorization('qualia', 'first ')],
    ['an empty password', basicAuthorization('qualia', '')],
    ['nothing on either side', basicAuthorization('', '')],
    ['no colon', `Basic ${Buffer.from('qualiafirst').toString('base64')}`],
    ['no base64', 'Basic qualia:first'],
    ['nothing after the scheme', 'Basic '],
    ['the scheme alone', 'Basic'],
    ['another scheme', `Bearer ${Buffer.from('qualia:first').toString('base64')}`],
    [
      'two of them, which the gateway joins',
      `${basicAuthorization('qualia', 'first')},${basicAuthorization('qualia', 'first')}`,
    ],
    ['something after it', `${basicAuthorization('qualia', 'first')} x`],
    ['a secret object', '[object Object]'],
  ])('refuses %s', async (_, authorization) => {
    expect(await signIn({ authorization })).toBe(false);
  });

  test('refuses everyone when it holds no Basic credential', async () => {
    const signing = { basic: [], signing_secrets: [key('a')] };
    expect(await signIn({ authorization: basicAuthorization('', '') }, body, signing)).toBe(false);
    expect(await signIn({ authorization: basicAuthorization('qualia', 'first') }, body, signing)).toBe(false);
  });
});

describe('a Standard Webhooks signature', () => {
  let clock: ReturnType<typeof freezeClock>;
  beforeEach(() => {
    clock = freezeClock();
  });
  afterEach(() => jest.useRealTimers());

  const signed = (secret: string, bytes: Buffer = body, atMs = clock.now()) => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(atMs / 1_000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', new Date(atMs), bytes.toString()),
  });

  test.each(known.signing_secrets)('by %s lets in', async (secret) => {
    expect(await signIn(signed(secret))).toBe(true);
  });

  test('counts when it is one of several in the header', async () => {
    const [wrong, right] = [signed(key('z')), signed(key('b'))];
    const several = `v1a,x ${wrong['webhook-signature']} ${right['webhook-signature']} v2,y`;
    expect(await signIn({ ...right, 'webhook-signature': several })).toBe(true);
  });

  test.each(['webhook', 'svix'])('counts in two %s headers, which the gateway joins', async (prefix) => {
    const right = signed(key('a'))['webhook-signature'];
    const wrong = signed(key('z'))['webhook-signature'];
    const joined = [
      ...[`${right},v1,BAD`, `v1,BAD,${right}`, `v1,BAD, ${right}`, `${wrong},${right}`, `${right},${wrong}`],
      ...[`v1a,x,${wrong} ${right},v2,y`, `v1,v1,${right}`, `v1,BAD ${wrong},${right} v1,BAD`],
    ];
    for (const signature of joined) {
      const headers = { ...signed(key('a')), 'webhook-signature': signature };
      expect(await signIn(as(prefix, headers))).toBe(true);
    }
    for (const signature of [`${wrong},v1,BAD`, `${wrong},${wrong}`, `v2,${right.slice(3)}`, `${right.slice(3)},v1,`]) {
      const headers = { ...signed(key('a')), 'webhook-signature': signature };
      expect(await signIn(as(prefix, headers))).toBe(false);
    }
  });

  test('counts wherever it is in a list, however the list is separated', async () => {
    const right = signed(key('a'))['webhook-signature'];
    const others = fc.array(fc.oneof(fc.constantFrom('v1,BAD', 'v1a,x', 'v2,y', 'v1,'), fc.base64String()));
    const separator = fc.constantFrom(' ', ',', ', ');
    const lists = fc.tuple(others, others, separator);
    await fc.assert(
      fc.asyncProperty(lists, async ([before, after, between]) => {
        const signature = [...before.filter((text) => text.startsWith('v')), right, ...after].join(between);
        expect(await signIn({ ...signed(key('a')), 'webhook-signature': signature })).toBe(true);
      }),
    );
  });

  test('counts under the names of Svix, even beside one that is wrong', async () => {
    const svix = as('svix', signed(key('a')));
    expect(await signIn(svix)).toBe(true);
    expect(await signIn({ ...svix, ...signed(key('z')) })).toBe(true);
    expect(await signIn({ ...as('svix', signed(key('z'))), ...signed(key('a')) })).toBe(true);
    expect(await signIn(as('svix', signed(key('z'))))).toBe(false);
    expect(await signIn(svix, Buffer.from('{}'))).toBe(false);
  });

  test('is not put together from headers of both names', async () => {
    const { 'webhook-id': id, ...rest } = signed(key('a'));
    expect(await signIn({ 'svix-id': id, ...rest })).toBe(false);
  });

  test('counts when Basic is wrong, and the other way round', async () => {
    expect(await signIn({ ...signed(key('a')), authorization: basicAuthorization('qualia', 'no') })).toBe(true);
    expect(await signIn({ ...signed(key('z')), authorization: basicAuthorization('qualia', 'first') })).toBe(true);
  });

  test('by a key that we do not have is refused', async () => {
    expect(await signIn(signed(key('z')))).toBe(false);
  });

  test.each([
    ['a byte changed', Buffer.from('{"order_id":"QO-2","note":"ü"}')],
    ['a space more', Buffer.concat([body, Buffer.from(' ')])],
    ['the same JSON written otherwise', Buffer.from('{"note":"ü","order_id":"QO-1"}')],
    ['nothing left', Buffer.alloc(0)],
  ])('over other bytes is refused: %s', async (_, tampered) => {
    expect(await signIn(signed(key('a')), tampered)).toBe(false);
  });

  test('over bytes that are not UTF-8 is refused, even where their replacement was signed', async () => {
    const bytes = Buffer.from([0x22, 0xff, 0x22]);
    expect(await signIn(signed(key('a'), bytes), bytes)).toBe(false);
  });

  test.each([
    ['5 minutes old', -300_000, true],
    ['older', -301_000, false],
    ['5 minutes ahead', 300_000, true],
    ['further ahead', 301_000, false],
    ['a day old', -86_400_000, false],
  ])('%s', async (_, ms, letsIn) => {
    expect(await signIn(signed(key('a'), body, clock.now() + ms))).toBe(letsIn);
  });

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s is refused', async (header) => {
    expect(await signIn({ ...signed(key('a')), [header]: undefined })).toBe(false);
    expect(await signIn({ ...signed(key('a')), [header]: '' })).toBe(false);
  });

  test.each([
    ['webhook-id', 'msg_2'],
    ['webhook-timestamp', 'soon'],
    ['webhook-timestamp', '1'],
    ['webhook-signature', 'v1,'],
    ['webhook-signature', 'nonsense'],
    ['webhook-signature', `v2,${'a'.repeat(44)}`],
  ])('with %s of %p is refused', async (header, value) => {
    expect(await signIn({ ...signed(key('a')), [header]: value })).toBe(false);
  });

  test('is refused when no signing secret is configured', async () => {
    expect(await signIn(signed(key('a')), body, { ...known, signing_secrets: [] })).toBe(false);
  });
});

describe('rotation', () => {
  const rotated: WebhookSecret = { basic: [{ username: 'qualia', password: 'new' }], signing_secrets: [key('c')] };
  const old = basicAuthorization('qualia', 'first');
  const fresh = basicAuthorization('qualia', 'new');

  test('a caller is refused only after the secret was fetched again', async () => {
    const isKnown = createAuthenticator(secretOf(known, rotated));
    expect(await isKnown({ authorization: fresh }, body)).toBe(true);
    expect(await isKnown({ authorization: basicAuthorization('qualia', 'neither') }, body)).toBe(false);
  });

  test('a known caller causes no second fetch', async () => {
    const refresh = jest.fn(async () => rotated);
    expect(await createAuthenticator({ get: async () => known, refresh })({ authorization: old }, body)).toBe(true);
    expect(refresh).not.toHaveBeenCalled();
  });
});

test('every caller is rejected while the secret cannot be read', async () => {
  const unreadable = new PipelineError('SECRET_UNREADABLE', 'No', { retryable: true });
  const isKnown = createAuthenticator(unreadableSecret<WebhookSecret>(unreadable));
  await expect(isKnown({ authorization: basicAuthorization('qualia', 'first') }, body)).rejects.toBe(unreadable);
  const refusedAgain = createAuthenticator({ ...unreadableSecret<WebhookSecret>(unreadable), get: async () => known });
  await expect(refusedAgain({}, body)).rejects.toBe(unreadable);
});

describe('the secret', () => {
  const basic = [{ username: 'qualia', password: 'pässwörd' }];
  const { signing_secrets } = known;

  test.each<[string, unknown]>([
    ['both kinds', { basic, signing_secrets }],
    ['Basic alone', { basic }],
    ['signing secrets alone', { signing_secrets }],
  ])('may hold %s', (_, secret) => {
    expect(webhookSecretSchema.parse(secret)).toEqual({ basic: [], signing_secrets: [], ...(secret as object) });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['no object', 'x'],
    ['no credential', {}],
    ['empty lists', { basic: [], signing_secrets: [] }],
    ['an empty password', { basic: [{ username: 'a', password: '' }] }],
    ['a password of 7 characters', { basic: [{ username: 'a', password: 'hunter2' }] }],
    ['an empty username', { basic: [{ username: '', password: 'pässwörd' }] }],
    ['no password', { basic: [{ username: 'a' }] }],
    ['one credential that is no list', { basic: { username: 'a', password: 'pässwörd' } }],
    ['a key without its prefix', { signing_secrets: [key('a').slice(6)] }],
    ['a key that is no base64', { signing_secrets: ['whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!'] }],
    ['a key without its padding', { signing_secrets: [`whsec_${'a'.repeat(27)}`] }],
    ['a key that is too short', { signing_secrets: ['whsec_YQ=='] }],
    ['a good one and a bad one', { basic, signing_secrets: [key('a'), ''] }],
  ])('must not contain %s', (_, secret) => {
    expect(webhookSecretSchema.safeParse(secret).success).toBe(false);
  });

  test('names every fault, and no value', () => {
    const { error } = webhookSecretSchema.safeParse({
      basic: [{ username: 'hunter2', password: 7 }],
      signing_secrets: ['hunter2'],
    });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['basic.0.password', 'signing_secrets.0']);
    expect(JSON.stringify(error?.issues.map(({ message }) => message))).not.toContain('hunter2');
  });
});
