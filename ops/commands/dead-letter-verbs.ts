import * as z from 'zod';
import { createDeadLetterMessages, readFirstFailures } from '../services/dead-letter-messages';
import type { WorkerName } from '../services/dead-letters';
import { createLogService } from '../services/logs';
import { renderDeadLetter, renderDeadLetters, toDeadLetterDocument } from './dead-letter-view';
import { exitCodes } from './exit-codes';
import { outlineOf } from './outline';
import type { ChangingSession, Session } from './verb';

/** An SQS message id, as `dlq show` prints it. */
export const messageIdSchema = z.guid('must be a message id as "dlq show" prints it').toLowerCase();

/** Shows the messages of a dead-letter queue. */
export const showAll = async (worker: WorkerName, limit: number, session: Session): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const { letters, isPartial } = await createDeadLetterMessages(stage, now).list(worker, limit);
  const shown = letters.slice(0, limit);
  const failures = await readFirstFailures(createLogService(stage), worker, shown, now);
  const more = isPartial || shown.length < letters.length;
  if (more) terminal.note(`The queue may have more messages; --limit shows more.`);
  const messages = shown.map((letter) => toDeadLetterDocument(letter, failures.get(letter.id)));
  terminal.result({ stage: stage.name, queue: worker, complete: !more, messages }, () =>
    shown.length === 0
      ? `The ${worker} dead-letter queue in ${stageLabel} has no visible message.`
      : renderDeadLetters(shown, failures, terminal, now()),
  );
  return exitCodes.done;
};

/** Shows one message of a dead-letter queue. */
export const showOne = async (
  worker: WorkerName,
  id: string,
  reveal: boolean,
  session: ChangingSession,
): Promise<number> => {
  const { stage, terminal, now } = session;
  const letter = await createDeadLetterMessages(stage, now).get(worker, id);
  if (reveal) await session.beginChange({ ids: [id] });
  const failure = (await readFirstFailures(createLogService(stage), worker, [letter], now)).get(id);
  const body = reveal ? letter.body : undefined;
  const outline = letter.message || reveal ? null : outlineOf(letter.body);
  if (letter.message === undefined && !reveal) terminal.note('The values are hidden; --reveal prints the body.');
  terminal.result(
    { stage: stage.name, queue: worker, ...toDeadLetterDocument(letter, failure), outline, body: body ?? null },
    () => renderDeadLetter(letter, failure, body, terminal),
  );
  return exitCodes.done;
};

/** Moves one message back to the worker's queue. */
export const redriveOne = async (worker: WorkerName, id: string, session: ChangingSession): Promise<number> => {
  const { stage, terminal, now } = session;
  await session.beginChange({ ids: [worker, id], count: 1 });
  const { message } = await createDeadLetterMessages(stage, now).redrive(worker, id);
  terminal.result(
    { stage: stage.name, queue: worker, message_id: id, order_id: message?.order_id ?? null, moved: 1 },
    () => `${message ? `The message of order ${message.order_id}` : 'The message'} was moved to the ${worker} queue.`,
  );
  return exitCodes.done;
};

/** Stores one message and deletes it. */
export const dropOne = async (
  worker: WorkerName,
  id: string,
  yes: boolean,
  session: ChangingSession,
): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const conclude = (document: object, text: string, exitCode: number): number => {
    terminal.result({ stage: stage.name, queue: worker, message_id: id, ...document }, () => text);
    return exitCode;
  };
  const question = `Drop message ${id} of the ${worker} dead-letter queue in ${stageLabel}? Its order does not resume.`;
  if (!yes && !(await terminal.confirm(question))) {
    return conclude({ dropped: false }, 'Nothing was dropped.', exitCodes.aborted);
  }
  await session.beginChange({ ids: [worker, id], count: 1 });
  const { bucket, key } = await createDeadLetterMessages(stage, now).drop(worker, id);
  const uri = `s3://${bucket}/${key}`;
  return conclude({ dropped: true, uri }, `The message was dropped; its copy is ${uri}.`, exitCodes.done);
};
