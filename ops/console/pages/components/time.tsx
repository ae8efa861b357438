import { useSyncExternalStore } from 'react';
import { formatAge, formatDuration } from '../../../format';
import { useTimeFormat } from '../preferences';

const tickMs = 5_000;
let nowMs = Date.now();
const listeners = new Set<() => void>();
setInterval(() => {
  nowMs = Date.now();
  for (const notify of listeners) notify();
}, tickMs);
const subscribe = (notify: () => void): (() => void) => {
  listeners.add(notify);
  return () => listeners.delete(notify);
};

/** Epoch ms, renewed every few seconds. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => nowMs);

/** `2026-01-31 08:00:00 UTC` */
export const formatExact = (iso: string): string => `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** A time, relative (`3m ago`, `in 20s`) or exact, as the user has chosen. The other one is its tooltip. */
export const Time = ({ at }: { readonly at: string }) => {
  const now = useNow();
  const [format] = useTimeFormat();
  const ageMs = now - Date.parse(at);
  const relative = ageMs <= -tickMs ? `in ${formatDuration(-ageMs / 1_000)}` : formatAge(ageMs);
  const exact = formatExact(at);
  return (
    <time dateTime={at} title={format === 'relative' ? exact : relative}>
      {format === 'relative' ? relative : exact}
    </time>
  );
};

/** How long ago a time is: `1h 02m`. */
export const Since = ({ at }: { readonly at: string }) => {
  const now = useNow();
  return (
    <time dateTime={at} title={formatExact(at)}>
      {formatDuration((now - Date.parse(at)) / 1_000)}
    </time>
  );
};
