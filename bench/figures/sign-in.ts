import { createHash, randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import {
  type Authenticate,
  createAuthenticator,
  type RequestHeaders,
  type WebhookSecret,
} from '../../lambdas/webhook/authenticate';
import type { FigureSet } from '../figure';
import { median, round } from '../statistics';
import { welchT } from '../welch';

const rounds = 15;
const callsPerClass = 1_500;
const warmUpCalls = 3_000;

const username = 'qualia-production';
const password = 'kR7-tWq2-9xLm-Zp4v-Hs8d';
const signingSecret = `whsec_${randomBytes(24).toString('base64')}`;
const body = Buffer.from(JSON.stringify({ type: 'order_request', order_id: 'bK8bg5tajNkDpDk25', description: 'x' }));

const signInWith = (secret: WebhookSecret): Authenticate =>
  createAuthenticator({ get: async () => secret, refresh: async () => secret });
const signIn = signInWith({ basic: [{ username, password }], signing_secrets: [signingSecret] });
const longer = signInWith({ basic: [{ username, password: password.repeat(2) }], signing_secrets: [signingSecret] });

const basic = (user: string, pass: string): RequestHeaders => ({
  authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`,
});

/** A leaky implementation for comparison: hashes the password only if the user is known. The measurement must detect it. */
const leaky: Authenticate = async (headers, body) => {
  const known = await signIn(headers, body);
  const [user = '', pass = ''] = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64')
    .toString()
    .split(':');
  if (user === username) createHash('sha256').update(pass).digest();
  return known;
};

const messageId = 'msg_1';

const guess = (length: number): string => randomBytes(length).toString('base64url').slice(0, length);
const guessAfter = (prefix: string, length: number): string => prefix + guess(length - prefix.length);

/** The valid signature of the body at a time, without its padding. */
const signatureAt = (now: Date): string =>
  new Webhook(signingSecret).sign(messageId, now, body.toString()).slice('v1,'.length, -1);

interface Call {
  readonly signIn: Authenticate;
  readonly headers: RequestHeaders;
}

/**
 * Creates two kinds of refused calls, with new guesses in each round. They differ only in what is correct: where one repeats
 * a value, the other repeats a guess of the same length. Code is faster with input that it has seen before, and this
 * difference would depend on the caller's input instead of the secret.
 */
type Pair = () => readonly [one: () => Call, other: () => Call];

const withPassword = (signIn: Authenticate, user: string, start: string) => (): Call => ({
  signIn,
  headers: basic(user, guessAfter(start, password.length)),
});

const withSignature = (now: Date, start: string, length: number) => (): Call => ({
  signIn,
  headers: {
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': `v1,${guessAfter(start, length)}=`,
  },
});

const users =
  (signIn: Authenticate): Pair =>
  () => [withPassword(signIn, username, ''), withPassword(signIn, guess(username.length), '')];

/** A caller that could distinguish the two kinds of a pair by their time would learn something about the secret. */
const pairs: Readonly<Record<string, Pair>> = {
  'a known and an unknown user': users(signIn),
  'a known password with an unknown user, and a wrong password': () => {
    const user = guess(username.length);
    return [withPassword(signIn, user, password), withPassword(signIn, user, guess(password.length))];
  },
  'a password with the right beginning, and a wrong one': () => [
    withPassword(signIn, username, password.slice(0, -6)),
    withPassword(signIn, username, guess(password.length - 6)),
  ],
  'a secret password of one length, and of twice that length': () => [
    withPassword(signIn, username, ''),
    withPassword(longer, username, ''),
  ],
  'a signature with the right beginning, and a wrong one': () => {
    const now = new Date();
    const right = signatureAt(now);
    return [
      withSignature(now, right.slice(0, -6), right.length),
      withSignature(now, guess(right.length - 6), right.length),
    ];
  },
};

const timeOf = async (call: Call): Promise<number> => {
  const startedAtMs = performance.now();
  const known = await call.signIn(call.headers, body);
  const ms = performance.now() - startedAtMs;
  if (known) throw new Error('A guess was accepted');
  return ms;
};

/** Welch's t of one round with its calls in random order. */
const compare = async (pair: Pair, calls: number): Promise<number> => {
  const [one, other] = pair();
  // Create all calls before the first is timed, so that creating them does not affect the times.
  const drawn = Array.from({ length: 2 * calls }, () => {
    const kind = randomBytes(1).readUInt8() < 128 ? 0 : 1;
    return { kind, call: kind === 0 ? one() : other() } as const;
  });
  const times: [number[], number[]] = [[], []];
  for (const { kind, call } of drawn) times[kind].push(await timeOf(call));
  return welchT(...times);
};

const measurePair = async (pair: Pair): Promise<number> => {
  await compare(pair, warmUpCalls);
  const ts: number[] = [];
  for (let count = 0; count < rounds; count++) ts.push(await compare(pair, callsPerClass));
  // A real difference has the same sign in every round; noise does not.
  return round(Math.abs(median(ts)), 2);
};

/** Whether the time of a refusal depends on how close a guess was, and whether the measurement detects a leaky implementation. */
export const signInTiming: FigureSet<'signin_timing_t' | 'signin_leaky_t'> = {
  title: 'Authentication, timing of refusals',
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
    note(`medians of ${rounds} rounds of ${callsPerClass} calls of each kind`);
    return { signin_timing_t: Math.max(...found), signin_leaky_t: await measurePair(users(leaky)) };
  },
};
