import type { Command } from 'commander';
import * as z from 'zod';
import { formatBulkCost } from '../format';
import { maxReceived } from '../services/dead-letter-messages';
import {
  createDeadLetterService,
  type DeadLetterQueue,
  maxMovesPerSecond,
  type Redrive,
  type WorkerName,
  workerNames,
} from '../services/dead-letters';
import { dropOne, messageIdSchema, redriveOne, showAll, showOne } from './dead-letter-verbs';
import { exitCodes } from './exit-codes';
import { countSchema } from './input';
import { plural, renderTable, type Terminal } from './terminal';
import type { Attach, ChangingSession } from './verb';

/** Maximum number of order IDs shown per queue. */
const shownIds = 5;

const queueSchema = z.enum(workerNames, `must be ${workerNames.join(' or ')}`);
const queueHelp = `${workerNames.join(' or ')}: the worker of the dead-letter queue`;
const maxShown = 100;

const help = `
SQS cannot read a message by its id: it is searched among the first ${maxReceived.toLocaleString('en')}
messages, which stay hidden from other readers for some seconds.`;

/** Adds `dlq list`, `show`, `redrive`, `stop` and `drop`. */
export const addDeadLetterCommands = (program: Command, attach: Attach): void => {
  const dlq = program.command('dlq').description('inspect, redrive and drop the messages of the dead-letter queues');

  const list = dlq
    .command('list')
    .description('show both dead-letter queues: message counts, oldest message, some order ids');
  attach(list, {
    schema: z.object({}),
    run: async (_input, { stage, terminal }) => {
      const queues = await createDeadLetterService(stage).list();
      terminal.result({ stage: stage.name, queues: queues.map(toDocument) }, () => renderQueues(queues, terminal));
      return exitCodes.done;
    },
  });

  const show = dlq
    .command('show')
    .description('show the messages of a dead-letter queue, or one of them; they stay in the queue')
    .argument('<queue>', queueHelp)
    .argument('[message]', 'the id of a message')
    .option('--limit <count>', `maximum number of messages, up to ${maxShown}`, '20')
    .option('--reveal', 'print the body of an unreadable message, which can contain personal data; recorded')
    .addHelpText('after', help);
  attach.changing(show, {
    schema: z.object({
      queue: queueSchema,
      message: messageIdSchema.optional(),
      limit: countSchema(maxShown),
      reveal: z.boolean().default(false),
    }),
    needsReason: ({ reveal }) => reveal === true,
    rules: ({ message, reveal }) => (reveal && message === undefined ? ['--reveal needs the id of a message'] : []),
    run: ({ queue, message, limit, reveal }, session) =>
      message === undefined ? showAll(queue, limit, session) : showOne(queue, message, reveal, session),
  });

  const redrive = dlq
    .command('redrive')
    .description("move a dead-letter queue's messages back to the worker's queue: each order resumes where it stopped")
    .argument('<queue>', `${workerNames.join(' or ')}: the worker whose dead-letter queue to redrive`)
    .argument('[message]', 'the id of a message, to move only this one')
    .option('--rate <count>', `maximum number of messages per second, up to ${maxMovesPerSecond}; default: SQS decides`)
    .option('-y, --yes', 'skip the question')
    .addHelpText('after', help);
  attach.changing(redrive, {
    schema: z.object({
      queue: queueSchema,
      message: messageIdSchema.optional(),
      rate: countSchema(maxMovesPerSecond).optional(),
      yes: z.boolean().default(false),
    }),
    rules: ({ message, rate }) =>
      message !== undefined && rate !== undefined ? ['--rate cannot be combined with a message'] : [],
    run: ({ queue, message, rate, yes }, session) =>
      message === undefined
        ? runRedrive(queue, { yes, perSecond: rate }, session)
        : redriveOne(queue, message, session),
  });

  const stop = dlq
    .command('stop')
    .description('stop a redrive in progress; the messages that it has not moved stay in the dead-letter queue')
    .argument('<queue>', queueHelp);
  attach.changing(stop, {
    schema: z.object({ queue: queueSchema }),
    run: ({ queue }, session) => stopRedrive(queue, session),
  });

  const drop = dlq
    .command('drop')
    .description('store a message in the artifacts bucket under dead-letters/, then delete it from its queue')
    .argument('<queue>', queueHelp)
    .argument('<message>', 'the id of a message')
    .option('-y, --yes', 'skip the question')
    .addHelpText('after', help);
  attach.changing(drop, {
    schema: z.object({ queue: queueSchema, message: messageIdSchema, yes: z.boolean().default(false) }),
    run: ({ queue, message, yes }, session) => dropOne(queue, message, yes, session),
  });
};

interface RedriveInput {
  readonly yes: boolean;
  readonly perSecond: number | undefined;
}

const stopRedrive = async (worker: WorkerName, session: ChangingSession): Promise<number> => {
  const { stage, stageLabel, terminal } = session;
  await session.beginChange({ ids: [worker] });
  const stopped = await createDeadLetterService(stage).stop(worker);
  if (stopped === undefined) {
    terminal.result(
      { stage: stage.name, queue: worker, status: 'NOT_RUNNING' },
      () => `No redrive of the ${worker} dead-letter queue in ${stageLabel} is running.`,
    );
    return exitCodes.done;
  }
  const { status, moved, toMove } = stopped;
  terminal.result({ stage: stage.name, queue: worker, status, moved, to_move: toMove ?? null }, () =>
    status === 'COMPLETED'
      ? `The redrive had moved ${plural(moved, 'message')} before it could be stopped.`
      : `The redrive was stopped; it had moved ${moved} of ${toMove ?? 'an unknown number of'} messages.`,
  );
  return exitCodes.done;
};

const runRedrive = async (
  worker: WorkerName,
  { yes, perSecond }: RedriveInput,
  session: ChangingSession,
): Promise<number> => {
  const { stage, stageLabel, terminal } = session;
  const service = createDeadLetterService(stage);
  const { messages, running } = await service.inspect(worker);
  const conclude = (document: object, text: string, exitCode: number): number => {
    terminal.result({ stage: stage.name, queue: worker, ...document }, () => text);
    return exitCode;
  };
  const untouched = { status: 'NOT_STARTED', moved: 0, to_move: messages };

  if (running) {
    terminal.note(`A redrive of the ${worker} dead-letter queue is already running; following it.`);
  } else if (messages === 0) {
    return conclude(untouched, `The ${worker} dead-letter queue in ${stageLabel} is empty.`, exitCodes.done);
  } else {
    const pace =
      perSecond === undefined
        ? 'at the rate of SQS'
        : `at most ${perSecond} per second, at least ${plural(Math.ceil(messages / perSecond), 'second')}`;
    terminal.note(
      `The ${worker} worker receives these messages again, with a new receive count: ${pace}, ${formatBulkCost(messages)}.`,
    );
    const question = `Move ${plural(messages, 'message')} back to the ${worker} queue in ${stageLabel}?`;
    if (!yes && !(await terminal.confirm(question)))
      return conclude(untouched, 'Nothing was moved.', exitCodes.aborted);
    await session.beginChange({ ids: [worker], count: messages });
  }

  return session.interruptible(async (signal) => {
    let last: Redrive | undefined;
    for await (const progress of service.redrive(worker, { perSecond, signal })) {
      last = progress;
      terminal.note(`${progress.status.toLowerCase()}: ${progress.moved} of ${progress.toMove ?? messages} moved`);
    }
    const { status = 'RUNNING', moved = 0, toMove = messages, failureReason } = last ?? {};
    const document = { status, moved, to_move: toMove, ...(failureReason !== undefined && { failure: failureReason }) };
    if (status === 'COMPLETED') {
      return conclude(document, `${plural(moved, 'message')} moved to the ${worker} queue.`, exitCodes.done);
    }
    if (status === 'CANCELLED') {
      return conclude(document, `The redrive was stopped; it had moved ${moved} of ${toMove}.`, exitCodes.aborted);
    }
    if (signal.aborted) {
      const text = `The redrive continues; "dlq redrive ${worker}" follows it, "dlq stop ${worker}" stops it.`;
      return conclude(document, text, exitCodes.aborted);
    }
    const why = failureReason === undefined ? '' : `: ${failureReason}`;
    return conclude(document, `The redrive ended ${status}, ${moved} of ${toMove} moved${why}.`, exitCodes.failed);
  });
};

const toDocument = ({ worker, url, messages, messagesInFlight, peeked }: DeadLetterQueue) => ({
  queue: worker,
  url,
  messages,
  messages_in_flight: messagesInFlight,
  oldest_sent_at: peeked[0]?.sentAt.toISOString() ?? null,
  peeked: peeked.map(({ message, sentAt }) => ({
    order_id: message?.order_id ?? null,
    round: message?.round ?? null,
    request_id: message?.request_id ?? null,
    sent_at: sentAt.toISOString(),
  })),
});

const renderQueues = (queues: readonly DeadLetterQueue[], { age, colors }: Terminal): string =>
  renderTable(
    queues.map((queue) => {
      const { worker, messages, messagesInFlight, peeked } = queue;
      const oldest = peeked[0] === undefined ? '' : age(peeked[0].sentAt);
      // At most ten messages are read: of more, another may be older.
      const atLeast = messages > peeked.length && oldest !== '' ? ' or older' : '';
      const count = messages > 0 ? colors.red(String(messages)) : '0';
      return [worker, count, String(messagesInFlight), `${oldest}${atLeast}`, renderIds(queue)];
    }),
    ['QUEUE', 'MESSAGES', 'IN FLIGHT', 'OLDEST SENT', 'ORDERS'],
  );

const renderIds = ({ messages, peeked }: DeadLetterQueue): string => {
  const ids = peeked.slice(0, shownIds).map(({ message }) => message?.order_id ?? '(unreadable)');
  return [...ids, ...(messages > ids.length ? ['…'] : [])].join(' ');
};
