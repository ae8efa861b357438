import type { DeadLetter, FirstFailure } from '../services/dead-letter-messages';
import { outlineOf } from './outline';
import { formatDuration, oneLine, plural, renderTable, type Terminal } from './terminal';

/** A dead letter as a JSON document, without the body of an unreadable one. */
export const toDeadLetterDocument = (letter: DeadLetter, failure: FirstFailure | undefined) => ({
  message_id: letter.id,
  order_id: letter.message?.order_id ?? null,
  round: letter.message?.round ?? null,
  request_id: letter.message?.request_id ?? null,
  sent_at: letter.sentAt.toISOString(),
  first_received_at: letter.firstReceivedAt.toISOString(),
  receives: letter.receives,
  expires_at: letter.expiresAt.toISOString(),
  first_failure: failure
    ? { at: failure.at.toISOString(), error_code: failure.code, error: failure.error ?? null }
    : null,
});

const remaining = ({ expiresAt }: DeadLetter, nowMs: number): string =>
  formatDuration(Math.max(0, expiresAt.getTime() - nowMs) / 1_000);

const describe = (failure: FirstFailure): string => oneLine(`${failure.code} ${failure.error ?? ''}`);

/** Three lines for each message. */
export const renderDeadLetters = (
  letters: readonly DeadLetter[],
  failures: ReadonlyMap<string, FirstFailure>,
  { colors, time }: Terminal,
  nowMs: number,
): string =>
  letters
    .map((letter) => {
      const { id, message, receives, sentAt } = letter;
      const failure = failures.get(id);
      const names = message ? `order ${message.order_id}, round ${message.round}` : 'unreadable';
      return [
        colors.bold(id),
        `  ${names}`,
        `  sent ${time(sentAt)}, ${plural(receives, 'receive')}, expires in ${remaining(letter, nowMs)}`,
        ...(message ? [`  ${failure ? describe(failure) : 'no failure is logged'}`] : []),
      ].join('\n');
    })
    .join('\n');

/** One message as a table of its fields. An unreadable body is shown as its structure. */
export const renderDeadLetter = (
  letter: DeadLetter,
  failure: FirstFailure | undefined,
  body: string | undefined,
  { colors, time }: Terminal,
): string => {
  const { id, message, receives, sentAt, firstReceivedAt, expiresAt } = letter;
  const rows: (readonly [string, string])[] = [
    ['message', id],
    ...(message
      ? ([
          ['order', message.order_id],
          ['round', message.round],
          ['request', oneLine(message.request_id)],
        ] as const)
      : ([['order', 'none: the body is not one of our messages']] as const)),
    ['sent', time(sentAt)],
    ['first received', time(firstReceivedAt)],
    ['receives', String(receives)],
    ['expires', time(expiresAt)],
    ...(message
      ? ([['first failure', failure ? `${time(failure.at)} ${describe(failure)}` : 'none is logged']] as const)
      : []),
  ];
  const table = renderTable(rows.map(([name, value]) => [colors.dim(name), value]));
  if (message) return table;
  const lines = body === undefined ? outlineOf(letter.body) : [oneLine(body)];
  return [table, '', ...lines].join('\n');
};
