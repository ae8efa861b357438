import { useSyncExternalStore } from 'react';

const themes = ['system', 'light', 'dark'] as const;
/** How the pages look. */
export type Theme = (typeof themes)[number];
/** `relative`: 3m ago. `exact`: a UTC time. */
export type TimeFormat = 'relative' | 'exact';

const read = (name: string): string | null => localStorage.getItem(`pipeline-${name}`);
const listeners = new Set<() => void>();
const write = (name: string, value: string): void => {
  localStorage.setItem(`pipeline-${name}`, value);
  for (const notify of listeners) notify();
};
const subscribe = (notify: () => void): (() => void) => {
  listeners.add(notify);
  return () => listeners.delete(notify);
};

const themeOf = (): Theme => themes.find((theme) => theme === read('theme')) ?? 'system';
const timeFormatOf = (): TimeFormat => (read('times') === 'exact' ? 'exact' : 'relative');

/** Applies the theme to the page. */
export const applyTheme = (): void => {
  document.documentElement.dataset.theme = themeOf();
};

/** The theme, and how to change it to the next one. */
export const useTheme = (): readonly [Theme, () => void] => {
  const theme = useSyncExternalStore(subscribe, themeOf);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
  return [
    theme,
    () => {
      write('theme', next);
      applyTheme();
    },
  ];
};

/** How times are shown, and how to change it. */
export const useTimeFormat = (): readonly [TimeFormat, () => void] => {
  const format = useSyncExternalStore(subscribe, timeFormatOf);
  return [format, () => write('times', format === 'relative' ? 'exact' : 'relative')];
};
