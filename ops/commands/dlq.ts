import type { Command } from 'commander';
import * as z from 'zod';
import {
  createDeadLetterService,
  type DeadLetterQueue,
  type Redrive,
  type WorkerName,
  workerNames,
} from '../services/dead-letters';
import { exitCodes } from './exit-codes';
import { plural, renderTable, type Terminal } from './terminal';
import type { Attach, Session } from './verb';

/** Maximum number of order IDs shown per queue. */
const shownIds = 5;

/** Adds `dlq list` and `dlq redrive`. */
export const addDeadLetterCommands = (program: Command, attach: Attach): void => {
  const dlq = program.command('dlq').description('list and redrive the dead-letter queues');

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

  const redrive = dlq
    .command('redrive')
    .description("move a dead-letter queue's messages back to the worker's queue: each order resumes where it stopped")
    .argument('<queue>', `${workerNames.join(' or ')}: the worker whose dead-letter queue to redrive`)
    .option('-y, --yes', 'skip the question');
  attach(redrive, {
    schema: z.object({
      queue: z.enum(workerNames, `must be ${workerNames.join(' or ')}`),
      yes: z.boolean().default(false),
    }),
    run: ({ queue, yes }, session) => runRedrive(queue, yes, session),
  });
};

const runRedrive = async (worker: WorkerName, yes: boolean, session: Session): Promise<number> => {
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
    terminal.note(`The ${worker} worker receives these messages again, with a new receive count.`);
    const question = `Move ${plural(messages, 'message')} back to the ${worker} queue in ${stageLabel}?`;
    if (!yes && !(await terminal.confirm(question)))
      return conclude(untouched, 'Nothing was moved.', exitCodes.aborted);
  }

  return session.interruptible(async (signal) => {
    let last: Redrive | undefined;
    for await (const progress of service.redrive(worker, signal)) {
      last = progress;
      terminal.note(`${progress.status.toLowerCase()}: ${progress.moved} of ${progress.toMove ?? messages} moved`);
    }
    const { status = 'RUNNING', moved = 0, toMove = messages, failureReason } = last ?? {};
    const document = { status, moved, to_move: toMove, ...(failureReason !== undefined && { failure: failureReason }) };
    if (status === 'COMPLETED') {
      return conclude(document, `${plural(moved, 'message')} moved to the ${worker} queue.`, exitCodes.done);
    }
    if (signal.aborted) {
      const text = `The redrive continues; "dlq redrive ${worker}" follows it.`;
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

const renderQueues = (queues: readonly DeadLetterQueue[], { time, colors }: Terminal): string =>
  renderTable(
    queues.map((queue) => {
      const { worker, messages, messagesInFlight, peeked } = queue;
      const oldest = peeked[0] === undefined ? '' : time(peeked[0].sentAt);
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
