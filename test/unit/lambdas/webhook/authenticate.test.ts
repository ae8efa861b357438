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

/** The headers of a signature, with another prefix in place of `webhook`. */
const withPrefix = (prefix: string, headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace('webhook', prefix), value]));

const authenticate = (
  headers: Record<string, string | undefined>,
  bytes: Buffer = body,
  secret: WebhookSecret = known,
) => createAuthenticator(secretOf(secret))(headers, bytes);

describe('HTTP Basic', () => {
  test.each(known.basic.map(({ username, password }) => [username, password] as const))(
    'accepts %s:%s',
    async (username, password) => {
      expect(await authenticate({ authorization: basicAuthorization(username, password) })).toBe(true);
    },
  );

  test.each(['basic', 'BASIC', 'Basic  '])('accepts the scheme %p', async (scheme) => {
    const [, encoded] = basicAuthorization('qualia', 'first').split(' ');
    expect(await authenticate({ authorization: `${scheme} ${encoded}` })).toBe(true);
  });

  test.each<[string, string | undefined]>([
    ['no header', undefined],
    ['an empty header', ''],
    ['a wrong password', basicAuthorization('qualia', 'second')],
    ['a wrong username', basicAuthorization('nobody', 'first')],
    ['the username of one credential and the password of another', basicAuthorization('qualia', 'with:colons:')],
    ['a password cut at its colon', basicAuthorization('gateway', 'with')],
    ['a password in another case', basicAuthorization('qualia', 'First')],
    ['a password with a trailing space', basicAuthorization('qualia', 'first ')],
    ['an empty password', basicAuthorization('qualia', '')],
    ['an empty username and password', basicAuthorization('', '')],
    ['no colon', `Basic ${Buffer.from('qualiafirst').toString('base64')}`],
    ['text that is not base64', 'Basic qualia:first'],
    ['a space after the scheme', 'Basic '],
    ['only the scheme', 'Basic'],
    ['another scheme', `Bearer ${Buffer.from('qualia:first').toString('base64')}`],
    [
      'two headers, which the gateway joins',
      `${basicAuthorization('qualia', 'first')},${basicAuthorization('qualia', 'first')}`,
    ],
    ['text after the credentials', `${basicAuthorization('qualia', 'first')} x`],
    ['an object as text', '[object Object]'],
  ])('refuses a call with %s', async (_, authorization) => {
    expect(await authenticate({ authorization })).toBe(false);
  });

  test('refuses every caller if the secret has no Basic credential', async () => {
    const signing = { basic: [], signing_secrets: [key('a')] };
    expect(await authenticate({ authorization: basicAuthorization('', '') }, body, signing)).toBe(false);
    expect(await authenticate({ authorization: basicAuthorization('qualia', 'first') }, body, signing)).toBe(false);
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

  test.each(known.signing_secrets)('with the key %s is accepted', async (secret) => {
    expect(await authenticate(signed(secret))).toBe(true);
  });

  test('is accepted as one of several in the header', async () => {
    const [wrong, right] = [signed(key('z')), signed(key('b'))];
    const several = `v1a,x ${wrong['webhook-signature']} ${right['webhook-signature']} v2,y`;
    expect(await authenticate({ ...right, 'webhook-signature': several })).toBe(true);
  });

  test.each(['webhook', 'svix'])('is accepted in one of two %s headers, which the gateway joins', async (prefix) => {
    const right = signed(key('a'))['webhook-signature'];
    const wrong = signed(key('z'))['webhook-signature'];
    const joined = [
      ...[`${right},v1,BAD`, `v1,BAD,${right}`, `v1,BAD, ${right}`, `${wrong},${right}`, `${right},${wrong}`],
      ...[`v1a,x,${wrong} ${right},v2,y`, `v1,v1,${right}`, `v1,BAD ${wrong},${right} v1,BAD`],
    ];
    for (const signature of joined) {
      const headers = { ...signed(key('a')), 'webhook-signature': signature };
      expect(await authenticate(withPrefix(prefix, headers))).toBe(true);
    }
    for (const signature of [`${wrong},v1,BAD`, `${wrong},${wrong}`, `v2,${right.slice(3)}`, `${right.slice(3)},v1,`]) {
      const headers = { ...signed(key('a')), 'webhook-signature': signature };
      expect(await authenticate(withPrefix(prefix, headers))).toBe(false);
    }
  });

  test('property: is accepted at any position of a list, with any separator', async () => {
    const right = signed(key('a'))['webhook-signature'];
    const others = fc.array(fc.oneof(fc.constantFrom('v1,BAD', 'v1a,x', 'v2,y', 'v1,'), fc.base64String()));
    const separator = fc.constantFrom(' ', ',', ', ');
    const lists = fc.tuple(others, others, separator);
    await fc.assert(
      fc.asyncProperty(lists, async ([before, after, between]) => {
        const signature = [...before.filter((text) => text.startsWith('v')), right, ...after].join(between);
        expect(await authenticate({ ...signed(key('a')), 'webhook-signature': signature })).toBe(true);
      }),
    );
  });

  test('is accepted in the headers of Svix, even next to a wrong signature', async () => {
    const svix = withPrefix('svix', signed(key('a')));
    expect(await authenticate(svix)).toBe(true);
    expect(await authenticate({ ...svix, ...signed(key('z')) })).toBe(true);
    expect(await authenticate({ ...withPrefix('svix', signed(key('z'))), ...signed(key('a')) })).toBe(true);
    expect(await authenticate(withPrefix('svix', signed(key('z'))))).toBe(false);
    expect(await authenticate(svix, Buffer.from('{}'))).toBe(false);
  });

  test('is not combined from headers of both kinds', async () => {
    const { 'webhook-id': id, ...rest } = signed(key('a'));
    expect(await authenticate({ 'svix-id': id, ...rest })).toBe(false);
  });

  test('is accepted together with wrong Basic credentials, and the other way round', async () => {
    expect(await authenticate({ ...signed(key('a')), authorization: basicAuthorization('qualia', 'no') })).toBe(true);
    expect(await authenticate({ ...signed(key('z')), authorization: basicAuthorization('qualia', 'first') })).toBe(
      true,
    );
  });

  test('with an unknown key is refused', async () => {
    expect(await authenticate(signed(key('z')))).toBe(false);
  });

  test.each([
    ['a byte changed', Buffer.from('{"order_id":"QO-2","note":"ü"}')],
    ['an added space', Buffer.concat([body, Buffer.from(' ')])],
    ['the same JSON, serialized differently', Buffer.from('{"note":"ü","order_id":"QO-1"}')],
    ['an empty body', Buffer.alloc(0)],
  ])('of other bytes is refused: %s', async (_, tampered) => {
    expect(await authenticate(signed(key('a')), tampered)).toBe(false);
  });

  test('of bytes that are not UTF-8 is refused, even if it is correct for the decoded text', async () => {
    const bytes = Buffer.from([0x22, 0xff, 0x22]);
    expect(await authenticate(signed(key('a'), bytes), bytes)).toBe(false);
  });

  test.each([
    ['5 minutes old', -300_000, true],
    ['more than 5 minutes old', -301_000, false],
    ['5 minutes ahead', 300_000, true],
    ['more than 5 minutes ahead', 301_000, false],
    ['a day old', -86_400_000, false],
  ])('with a timestamp that is %s (%i ms) is accepted: %s', async (_, ms, isAccepted) => {
    expect(await authenticate(signed(key('a'), body, clock.now() + ms))).toBe(isAccepted);
  });

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s is refused', async (header) => {
    expect(await authenticate({ ...signed(key('a')), [header]: undefined })).toBe(false);
    expect(await authenticate({ ...signed(key('a')), [header]: '' })).toBe(false);
  });

  test.each([
    ['webhook-id', 'msg_2'],
    ['webhook-timestamp', 'soon'],
    ['webhook-timestamp', '1'],
    ['webhook-signature', 'v1,'],
    ['webhook-signature', 'nonsense'],
    ['webhook-signature', `v2,${'a'.repeat(44)}`],
  ])('with %s of %p is refused', async (header, value) => {
    expect(await authenticate({ ...signed(key('a')), [header]: value })).toBe(false);
  });

  test('is refused if no signing secret is configured', async () => {
    expect(await authenticate(signed(key('a')), body, { ...known, signing_secrets: [] })).toBe(false);
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

  test('a caller with a known credential causes no second fetch', async () => {
    const refresh = jest.fn(async () => rotated);
    expect(await createAuthenticator({ get: async () => known, refresh })({ authorization: old }, body)).toBe(true);
    expect(refresh).not.toHaveBeenCalled();
  });
});

test('every caller is rejected while the secret cannot be read', async () => {
  const unreadable = new PipelineError('SECRET_UNREADABLE', 'No', { retryable: true });
  const isKnown = createAuthenticator(unreadableSecret<WebhookSecret>(unreadable));
  await expect(isKnown({ authorization: basicAuthorization('qualia', 'first') }, body)).rejects.toBe(unreadable);
  const failsToRefresh = createAuthenticator({
    ...unreadableSecret<WebhookSecret>(unreadable),
    get: async () => known,
  });
  await expect(failsToRefresh({}, body)).rejects.toBe(unreadable);
});

describe('the secret', () => {
  const basic = [{ username: 'qualia', password: 'pässwörd' }];
  const { signing_secrets } = known;

  test.each<[string, unknown]>([
    ['both kinds', { basic, signing_secrets }],
    ['only Basic', { basic }],
    ['only signing secrets', { signing_secrets }],
  ])('can contain %s', (_, secret) => {
    expect(webhookSecretSchema.parse(secret)).toEqual({ basic: [], signing_secrets: [], ...(secret as object) });
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['text', 'x'],
    ['no credential', {}],
    ['empty lists', { basic: [], signing_secrets: [] }],
    ['an empty password', { basic: [{ username: 'a', password: '' }] }],
    ['a password of 7 characters', { basic: [{ username: 'a', password: 'hunter2' }] }],
    ['an empty username', { basic: [{ username: '', password: 'pässwörd' }] }],
    ['no password', { basic: [{ username: 'a' }] }],
    ['a credential that is not in a list', { basic: { username: 'a', password: 'pässwörd' } }],
    ['a key without its prefix', { signing_secrets: [key('a').slice(6)] }],
    ['a key that is not base64', { signing_secrets: ['whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!'] }],
    ['a key without its padding', { signing_secrets: [`whsec_${'a'.repeat(27)}`] }],
    ['a key that is too short', { signing_secrets: ['whsec_YQ=='] }],
    ['a valid key and an invalid one', { basic, signing_secrets: [key('a'), ''] }],
  ])('is rejected: %s', (_, secret) => {
    expect(webhookSecretSchema.safeParse(secret).success).toBe(false);
  });

  test('is rejected with a list of all faults, without values', () => {
    const { error } = webhookSecretSchema.safeParse({
      basic: [{ username: 'hunter2', password: 7 }],
      signing_secrets: ['hunter2'],
    });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['basic.0.password', 'signing_secrets.0']);
    expect(JSON.stringify(error?.issues.map(({ message }) => message))).not.toContain('hunter2');
  });
});
