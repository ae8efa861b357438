import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import * as z from 'zod';
import { signedHeaders, type WebhookSecret } from '../../samples/authentication';
import type { DayCall } from '../sample/day';

/** The final answer to a call of the day. */
export interface CallAnswer {
  readonly call: DayCall;
  readonly status: number;
  /** `status` in the body of a 200. */
  readonly outcome: string | undefined;
}

export interface PostOptions {
  readonly apiUrl: string;
  readonly secret: WebhookSecret;
  readonly calls: readonly DayCall[];
  readonly onAnswer: (answer: CallAnswer) => void;
}

const connections = 32;
const maxTries = 8;

const bodySchema = z.object({ status: z.string() });

const outcomeOf = (text: string): string | undefined => {
  try {
    return bodySchema.safeParse(JSON.parse(text)).data?.status;
  } catch {
    return undefined;
  }
};

/**
 * Posts webhooks as Qualia does: concurrently, but in sequence for one order, with retries after a 429, a 5xx or no
 * answer.
 *
 * @throws {Error} if a call got no answer after all tries
 */
export const postCalls = async ({ apiUrl, secret, calls, onAnswer }: PostOptions): Promise<CallAnswer[]> => {
  const pool = new Pool(apiUrl, { connections });
  const answers = new Map<string, Promise<CallAnswer>>();

  const postOnce = async (call: DayCall): Promise<CallAnswer> => {
    const { statusCode, body } = await pool.request({
      method: call.method,
      path: call.path,
      headers: signedHeaders(call, secret, Date.now()),
      body: call.body,
    });
    return { call, status: statusCode, outcome: outcomeOf(await body.text()) };
  };

  const post = async (call: DayCall): Promise<CallAnswer> => {
    for (let attempt = 1; ; attempt++) {
      const answer = await postOnce(call).catch((error: unknown) => {
        if (attempt < maxTries) return undefined;
        throw new Error(`No answer to ${call.name} after ${maxTries} tries`, { cause: error });
      });
      const final = answer !== undefined && answer.status !== 429 && answer.status < 500;
      if (answer !== undefined && (final || attempt === maxTries)) return answer;
      await sleep(100 * 2 ** (attempt - 1));
    }
  };

  const queue = calls.values();
  const sender = async (): Promise<void> => {
    for (const call of queue) {
      const before = call.after === undefined ? undefined : answers.get(call.after);
      const answer = Promise.resolve(before).then(() => post(call));
      answers.set(call.name, answer);
      onAnswer(await answer);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, sender));
    return await Promise.all(answers.values());
  } finally {
    await pool.close();
  }
};
