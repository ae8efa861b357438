/** The three meanings of a replay. */
export const meanings = {
  qualia: {
    label: 'From Qualia',
    effect: 'Downloads the order again, and posts it if it has changed',
    input: { source: 'qualia', force: false },
    args: '',
  },
  raw: {
    label: 'From the stored bytes',
    effect: 'Maps the stored payload again, and posts it if the result has changed',
    input: { source: 'raw', force: false },
    args: ' --from raw',
  },
  force: {
    label: 'Regardless of changes',
    effect: 'Downloads the order again, and posts it even if nothing has changed',
    input: { source: 'qualia', force: true },
    args: ' --force',
  },
} as const;

export type ReplayMeaning = keyof typeof meanings;
