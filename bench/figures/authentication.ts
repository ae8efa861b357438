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

const authenticatorFor = (secret: WebhookSecret): Authenticate =>
  createAuthenticator({ get: async () => secret, refresh: async () => secret });
const authenticate = authenticatorFor({ basic: [{ username, password }], signing_secrets: [signingSecret] });
const authenticateLonger = authenticatorFor({
  basic: [{ username, password: password.repeat(2) }],
  signing_secrets: [signingSecret],
});

const basic = (user: string, pass: string): RequestHeaders => ({
  authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`,
});

/** A leaky implementation: hashes the password only for the valid user. The measurement must detect the difference. */
const leaky: Authenticate = async (headers, body) => {
  const isAccepted = await authenticate(headers, body);
  const [user = '', pass = ''] = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64')
    .toString()
    .split(':');
  if (user === username) createHash('sha256').update(pass).digest();
  return isAccepted;
};

const messageId = 'msg_1';

const guess = (length: number): string => randomBytes(length).toString('base64url').slice(0, length);
const guessAfter = (prefix: string, length: number): string => prefix + guess(length - prefix.length);

/** The valid signature of the body at a time, without its padding. */
const signatureAt = (now: Date): string =>
  new Webhook(signingSecret).sign(messageId, now, body.toString()).slice('v1,'.length, -1);

interface Call {
  readonly authenticate: Authenticate;
  readonly headers: RequestHeaders;
}

/**
 * Creates two kinds of refused calls, with new guesses in each round. Where one kind repeats a correct value, the other
 * repeats a guess of the same length, because code is faster with repeated input. Therefore a difference between their
 * times depends on the secret, not on the repetition.
 */
type Pair = () => readonly [one: () => Call, other: () => Call];

const withPassword = (authenticate: Authenticate, user: string, start: string) => (): Call => ({
  authenticate,
  headers: basic(user, guessAfter(start, password.length)),
});

const withSignature = (now: Date, start: string, length: number) => (): Call => ({
  authenticate,
  headers: {
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': `v1,${guessAfter(start, length)}=`,
  },
});

const users =
  (authenticate: Authenticate): Pair =>
  () => [withPassword(authenticate, username, ''), withPassword(authenticate, guess(username.length), '')];

/** If the two kinds of a pair took different times, a caller could learn something about the secret. */
const pairs: Readonly<Record<string, Pair>> = {
  'the valid user and another user': users(authenticate),
  'another user with the valid password and with a wrong one': () => {
    const user = guess(username.length);
    return [withPassword(authenticate, user, password), withPassword(authenticate, user, guess(password.length))];
  },
  'a password with the correct beginning and a wrong one': () => [
    withPassword(authenticate, username, password.slice(0, -6)),
    withPassword(authenticate, username, guess(password.length - 6)),
  ],
  'a secret password and one of twice its length': () => [
    withPassword(authenticate, username, ''),
    withPassword(authenticateLonger, username, ''),
  ],
  'a signature with the correct beginning and a wrong one': () => {
    const now = new Date();
    const validSignature = signatureAt(now);
    return [
      withSignature(now, validSignature.slice(0, -6), validSignature.length),
      withSignature(now, guess(validSignature.length - 6), validSignature.length),
    ];
  },
};

const timeOf = async (call: Call): Promise<number> => {
  const startedAtMs = performance.now();
  const isAccepted = await call.authenticate(call.headers, body);
  const ms = performance.now() - startedAtMs;
  if (isAccepted) throw new Error('A guess was accepted');
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

/** Whether the time of a refusal depends on how close the guess was, and whether the measurement detects a leak. */
export const authenticationTiming: FigureSet<'signin_timing_t' | 'signin_leaky_t'> = {
  title: 'Authentication, timing of refusals',
  bars: {
    signin_timing_t: { unit: 'standard errors', bar: 4.5, better: 'lower' },
    signin_leaky_t: { unit: 'standard errors', bar: 4.5, better: 'higher' },
  },
  measure: async (note) => {
    const values: number[] = [];
    for (const [name, pair] of Object.entries(pairs)) {
      const t = await measurePair(pair);
      values.push(t);
      note(`${name}: t ${t}`);
    }
    note(`medians of ${rounds} rounds of ${callsPerClass} calls of each kind`);
    return { signin_timing_t: Math.max(...values), signin_leaky_t: await measurePair(users(leaky)) };
  },
};
