import { useLayoutEffect, useRef } from 'react';

/** What keys do: `KeyboardEvent.key` → action. */
export type Keys = Readonly<Record<string, () => void>>;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Handles keys, except while the user types or a dialog is open. */
export const useKeys = (keys: Keys): void => {
  const newest = useRef(keys);
  newest.current = keys;
  // Before the screen is painted: a key that is pressed as soon as something is visible must work.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { key, target, ctrlKey, metaKey, altKey } = event;
      if (ctrlKey || metaKey || altKey || isTyping(target) || document.querySelector('dialog[open]')) return;
      const action = newest.current[key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
};
