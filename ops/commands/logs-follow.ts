import { parseJson } from '../../shared/json';
import { type TailedEvent, tail } from '../services/live-tail';
import { renderEvents } from './event-view';
import { exitCodes } from './exit-codes';
import { oneLine, plural } from './terminal';
import type { Session } from './verb';

/** List prices of Live Tail in us-east-1. */
const price = '0.01 USD per minute and session; 1,800 minutes of a month are free';

/** Fields of a line that are shown, in this order. */
const shownFields = [
  ...[
    'service',
    'level',
    'message',
    'status',
    'outcome',
    'error_code',
    'error',
    'order_id',
    'run_id',
    'portal',
    'step',
  ],
  ...['phase', 'done', 'total', 'reason', 'attempt', 'receive', 'wait_seconds', 'route', 'status_code'],
];

/** Prints events as they arrive, until Ctrl-C. */
export const follow = (pattern: string, { stage, terminal, now, interruptible }: Session): Promise<number> =>
  interruptible(async (signal) => {
    const onStart = (sessions: number): void =>
      terminal.note(
        sessions === 0
          ? 'Following the logs on this machine; Ctrl-C ends.'
          : `Following with Live Tail (${plural(sessions, 'session')}, ${price}); Ctrl-C ends.`,
      );
    let events = 0;
    for await (const event of tail(stage, { pattern, now, signal, onStart })) {
      const text = render(event, terminal.colors);
      if (text === undefined) continue;
      events++;
      terminal.report(text);
    }
    terminal.result({ stage: stage.name, pattern, events }, () => `${plural(events, 'event')}.`);
    return exitCodes.done;
  });

/** @returns undefined for a line that only has metrics */
const render = ({ at, message }: TailedEvent, colors: Session['terminal']['colors']): string | undefined => {
  const json = parseJson(message);
  const line = typeof json === 'object' && json !== null ? json : {};
  if ('_aws' in line && !('message' in line)) return undefined;
  const time = at.toISOString().replace('T', ' ').replace('Z', '');
  const fields = shownFields.flatMap((name): [string, string][] => {
    const value: unknown = Reflect.get(line, name);
    return value === undefined || value === null ? [] : [[name, String(value)]];
  });
  if (fields.length === 0) return `${time.slice(5)}  ${oneLine(message)}`;
  return renderEvents([new Map([['@timestamp', time], ...fields])], colors);
};
