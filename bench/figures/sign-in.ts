import { createHash, randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { createSignIn, type RequestHeaders, type SignIn, type WebhookSecret } from '../../lambdas/webhook/sign-in';
import type { FigureSet } from '../figure';
import { median, round } from '../statistics';
import { welchT } from '../welch';

const rounds = 15;
const callsAClass = 1_500;
const warmUpCalls = 3_000;

const username = 'qualia-production';
const password = 'kR7-tWq2-9xLm-Zp4v-Hs8d';
const signingSecret = `whsec_${randomBytes(24).toString('base64')}`;
const body = Buffer.from(JSON.stringify({ type: 'order_request', order_id: 'bK8bg5tajNkDpDk25', description: 'x' }));

const signInWith = (secret: WebhookSecret): SignIn =>
  createSignIn({ get: async () => secret, refresh: async () => secret });
const signIn = signInWith({ basic: [{ username, password }], signing_secrets: [signingSecret] });
const longer = signInWith({ basic: [{ username, password: password.repeat(2) }], signing_secrets: [signingSecret] });

const basic = (user: string, pass: string): RequestHeaders => ({
  authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`,
});

/** Hashes the password of a known user alone, as one should not: so much the measurement has to see. */
const leaky: SignIn = async (headers, body) => {
  const known = await signIn(headers, body);
  const [user = '', pass = ''] = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64')
    .toString()
    .split(':');
  if (user === username) createHash('sha256').update(pass).digest();
  return known;
};

const guess = (length: number): string => randomBytes(length).toString('base64url').slice(0, length);
const guessAfter = (prefix: string, length: number): string => prefix + guess(length - prefix.length);

/** A signature that agrees with the right one for so many characters. */
const signed = (agreeing: number, id = 'msg_1'): RequestHeaders => {
  const now = new Date();
  const right = new Webhook(signingSecret).sign(id, now, body.toString()).slice('v1,'.length);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': `v1,${guessAfter(right.slice(0, agreeing), right.length - 1)}=`,
  };
};

interface Call {
  readonly signIn: SignIn;
  readonly headers: RequestHeaders;
}

type Pair = readonly [one: () => Call, other: () => Call];

/** A known user, and an unknown one. */
const users = (signIn: SignIn): Pair => [
  () => ({ signIn, headers: basic(username, guess(password.length)) }),
  () => ({ signIn, headers: basic(guess(username.length), guess(password.length)) }),
];

/** Two kinds of refused calls, alike in length: whoever could tell them apart by their time would learn something. */
const pairs: Readonly<Record<string, Pair>> = {
  'a known and an unknown user': users(signIn),
  'the right password of an unknown user, and a wrong one': [
    () => ({ signIn, headers: basic(guess(username.length), password) }),
    () => ({ signIn, headers: basic(guess(username.length), guess(password.length)) }),
  ],
  'a password that begins right, and one that does not': [
    () => ({ signIn, headers: basic(username, guessAfter(password.slice(0, -6), password.length)) }),
    () => ({ signIn, headers: basic(username, guess(password.length)) }),
  ],
  'a password as long as the right one, and half as long': [
    () => ({ signIn, headers: basic(username, guess(password.length)) }),
    () => ({ signIn: longer, headers: basic(username, guess(password.length)) }),
  ],
  'a signature that begins right, and one that does not': [
    () => ({ signIn, headers: signed(36) }),
    () => ({ signIn, headers: signed(0) }),
  ],
};

const timeOf = async (call: Call): Promise<number> => {
  const startedAtMs = performance.now();
  const known = await call.signIn(call.headers, body);
  const ms = performance.now() - startedAtMs;
  if (known) throw new Error('A guess was right');
  return ms;
};

/** Welch's t of one round, its calls in a random order. */
const compare = async ([one, other]: Pair, calls: number): Promise<number> => {
  const times: [number[], number[]] = [[], []];
  for (let call = 0; call < 2 * calls; call++) {
    const isOne = randomBytes(1).readUInt8() < 128;
    times[isOne ? 0 : 1].push(await timeOf(isOne ? one() : other()));
  }
  return welchT(...times);
};

const measurePair = async (pair: Pair): Promise<number> => {
  await compare(pair, warmUpCalls);
  const ts: number[] = [];
  for (let count = 0; count < rounds; count++) ts.push(await compare(pair, callsAClass));
  // A difference that is there points the same way in every round; noise does not.
  return round(Math.abs(median(ts)), 2);
};

/** Whether the time of a refusal tells how near a guess was; and that it would be seen, of a sign-in that does tell. */
export const signInTiming: FigureSet<'signin_timing_t' | 'signin_leaky_t'> = {
  title: 'Sign-in, timing of refusals',
  bars: {
    signin_timing_t: { unit: 'standard errors', bar: 4.5, better: 'lower' },
    signin_leaky_t: { unit: 'standard errors', bar: 4.5, better: 'higher' },
  },
  measure: async (note) => {
    const found: number[] = [];
    for (const [name, pair] of Object.entries(pairs)) {
      const t = await measurePair(pair);
      found.push(t);
      note(`${name}: t ${t}`);
    }
    note(`medians of ${rounds} rounds of ${callsAClass} calls of either kind`);
    return { signin_timing_t: Math.max(...found), signin_leaky_t: await measurePair(users(leaky)) };
  },
};
