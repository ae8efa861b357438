import type { LogRow } from '../services/logs';
import { oneLine, type Terminal, wrapText, wrapWords } from './terminal';

/** Width of the widest line. */
const width = 80;
const headFields = ['@timestamp', 'service', 'level', 'message'];
/** Fields that are shown without their name. */
const plainFields = ['status', 'outcome', 'error_code'];
const sentenceFields = ['error'];

const ranks: Readonly<Record<string, number>> = { NOTIFIED: 0, DOWNLOADED: 1, PROCESSED: 2, FAILED: 2 };

const isAccepted = (row: LogRow): boolean => row.get('message') === 'webhook accepted';
const isRepeated = (row: LogRow): boolean => isAccepted(row) && row.get('outcome') !== 'queued';

/**
 * Puts the events of an order into the sequence in which they happened. The webhook logs after its send, so that its line
 * can be later than one of the worker: a line that begins a round is moved before the others of its request. A repeated
 * notification reports the status that it read, which can be older than a line before it: it then shows none.
 */
export const inSequence = (rows: readonly LogRow[]): LogRow[] => {
  const sequence: LogRow[] = [];
  for (const row of rows) {
    const requestId = row.get('request_id');
    const first =
      isAccepted(row) && !isRepeated(row) && requestId !== undefined
        ? sequence.findIndex((other) => other.get('request_id') === requestId)
        : -1;
    if (first >= 0) sequence.splice(first, 0, row);
    else sequence.push(row);
  }
  let reached = -1;
  return sequence.map((row) => {
    const rank = ranks[row.get('status') ?? ''];
    if (rank === undefined) return row;
    if (isRepeated(row) && rank < reached) return new Map([...row].filter(([name]) => name !== 'status'));
    if (!isRepeated(row)) reached = rank;
    return row;
  });
};

const renderEvent = (row: LogRow, colors: Terminal['colors']): string[] => {
  const value = (name: string): string => oneLine(row.get(name) ?? '');
  const time = value('@timestamp').slice(5);
  const head = `${time.padEnd(18)}  ${value('service').padEnd(10)}  ${value('level').padEnd(5)}  ${value('message')}`;
  const color = { ERROR: colors.red, WARN: colors.yellow }[value('level')] ?? ((text: string) => text);
  const plain = plainFields.map(value).filter((text) => text !== '');
  const others = [...row.keys()].filter((name) => ![...headFields, ...plainFields, ...sentenceFields].includes(name));
  const named = others.map((name) => `${name} ${value(name)}`);
  const sentences = sentenceFields.map(value).filter((text) => text !== '');
  const indent = ' '.repeat(20);
  const details = [
    ...wrapWords([...plain, ...named], width - indent.length, '  '),
    ...sentences.flatMap((sentence) => wrapText(sentence, width - indent.length)),
  ];
  return [color(head.slice(0, width)), ...details.map((line) => colors.dim(indent + line))];
};

/** Renders each event on a line, with its other fields below it. */
export const renderEvents = (rows: readonly LogRow[], colors: Terminal['colors']): string =>
  rows.flatMap((row) => renderEvent(row, colors)).join('\n');
