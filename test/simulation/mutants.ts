interface Replacement {
  readonly find: string;
  readonly replace: string;
}

/** A way to break our code that matters: one or two replacements in one file. */
export interface Mutant extends Replacement {
  /** What the broken code does. */
  readonly name: string;
  readonly file: string;
  readonly also?: Replacement;
}

const processing = 'lambdas/processing/handler.ts';
const download = 'lambdas/download/handler.ts';
const postOrder = 'lambdas/processing/post-order.ts';
const repository = 'shared/orders/repository.ts';
const startRound = 'shared/orders/start-round.ts';

/** The simulation must catch each of them. */
export const mutants: readonly Mutant[] = [
  {
    name: 'the reconciler ignores stuck orders',
    file: 'shared/completeness/judge.ts',
    find: "if (isStuck(order, entry, nowMs)) return needs('stuck');",
    replace: '',
  },
  {
    name: 'the reconciler never checks an order again',
    file: 'shared/completeness/judge.ts',
    find: "return isDue ? needs('unchecked')",
    replace: "return isDue && Number.isNaN(0) ? needs('unchecked')",
  },
  {
    name: 'a download is recorded for any round',
    file: repository,
    find: "allOf(isInRound(round), allows('download'))",
    replace: "allows('download')",
  },
  {
    name: 'an older round replaces a newer one',
    file: 'shared/orders/expressions.ts',
    find: 'attribute_not_exists(#order_id) OR #round < :if_round',
    replace: 'attribute_not_exists(#order_id) OR #round <> :if_round',
  },
  {
    name: 'the webhook responds before its message is sent',
    file: startRound,
    find: "      await enqueue(orderId, round, requestId, notificationType);\n      return { outcome: 'queued', round, status: 'NOTIFIED' };\n    }\n    const { order }",
    replace:
      "      void enqueue(orderId, round, requestId, notificationType).catch(() => undefined);\n      return { outcome: 'queued', round, status: 'NOTIFIED' };\n    }\n    const { order }",
  },
  {
    name: 'a duplicate does not send the message of its round again',
    file: startRound,
    find: "if (order.status === 'NOTIFIED') await",
    replace: 'if (Number.isNaN(0)) await',
  },
  {
    name: 'an event counts as old a minute too early',
    file: startRound,
    find: 'const clockToleranceMs = 2_000;',
    replace: 'const clockToleranceMs = -60_000;',
  },
  {
    name: 'the download sends its message before its record',
    file: download,
    find: '    const written = await repository.recordDownload(message.order_id, message.round, {',
    replace: `    const { s3Key: s3_key, checksum } = payload;
    await sendToProcessing(message, { s3_key, checksum });
    const written = await repository.recordDownload(message.order_id, message.round, {`,
    also: {
      find: '    await sendToProcessing(message, { s3_key: payload.s3Key, checksum: payload.checksum });\n',
      replace: '',
    },
  },
  {
    name: 'a repeated download does not send its message again',
    file: download,
    find: "if (order?.status !== 'DOWNLOADED' || order.round !== message.round) return;",
    replace: 'if (message.round !== undefined) return;',
  },
  {
    name: 'a repeated download replaces the stored bytes',
    file: 'shared/orders/payload-store.ts',
    find: 'await put(s3Key, bytes, true)',
    replace: 'await put(s3Key, bytes, false)',
  },
  {
    name: 'a batch counts every message as sent',
    file: 'shared/aws/batch-sender.ts',
    find: 'const isAccepted = accepted.has(id) && !failures.has(id);',
    replace: 'const isAccepted = true;',
  },
  {
    name: 'a message is acknowledged although its step failed',
    file: 'shared/orders/worker.ts',
    find: "if (settlement === 'redeliver') throw error;",
    replace: "if (settlement === 'redeliver') return;",
  },
  {
    name: 'a message is acknowledged without its fresh copy',
    file: 'shared/orders/settle.ts',
    find: '    await sendCopy(delivery, seconds);\n',
    replace: '',
  },
  {
    name: 'an idempotency key has no round',
    file: 'shared/internal-api/idempotency-key.ts',
    find: "({ orderId, round, bodyHash, repost = '' }: Effect)",
    replace: "({ orderId, bodyHash, repost = '' }: Effect, round = '')",
  },
  {
    name: 'a round that was overtaken does not post again',
    file: processing,
    find: 'if (mayHaveTakenEffect) await repostNewest(message, rejection);',
    replace: 'if (mayHaveTakenEffect && Number.isNaN(0)) await repostNewest(message, rejection);',
  },
  {
    name: 'an order is recorded as processed in any round',
    file: repository,
    find: "allOf(isInRound(round), allows('process'), hasRepost(repost))",
    replace: "allOf(allows('process'), hasRepost(repost))",
  },
  {
    name: 'all rounds of an order share one payload',
    file: 'shared/orders/payload-store.ts',
    find: '{round}.json',
    replace: "{'payload'}.json",
  },
  {
    name: 'an order counts as unchanged although a repost was requested',
    file: postOrder,
    find: '      repost === undefined && current.previous_status',
    replace: '      current.previous_status',
  },
  {
    name: 'calls are made without pace',
    file: 'shared/http/api-client.ts',
    find: 'if (pace !== undefined) await waitInTime(pace(), context);',
    replace: '',
  },
  {
    name: 'a different event of the same second counts as a duplicate',
    file: startRound,
    find: '(isSame && event.precisionMs < 1_000)',
    replace: 'isSame',
  },
  {
    name: 'a result is recorded although a repost was requested',
    file: repository,
    find: "allOf(isInRound(round), allows('process'), hasRepost(repost))",
    replace: "allOf(isInRound(round), allows('process'))",
  },
  {
    name: 'a redriven round cannot be downloaded',
    file: repository,
    find: "allOf(isInRound(round), allows('download'))",
    replace:
      "allOf(isInRound(round), { expression: '#status = :if_NOTIFIED', names: { '#status': 'status' }, values: { ':if_NOTIFIED': 'NOTIFIED' } })",
  },
];
