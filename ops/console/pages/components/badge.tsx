import type { ReactNode } from 'react';

/** `good`, `warning` and `bad` have a sign of their own, besides their colour. */
export type Tone = 'good' | 'warning' | 'bad' | 'neutral';

const signs: Readonly<Record<Tone, string>> = { good: '✓', warning: '▲', bad: '●', neutral: '' };

/** A state in a word. */
export const Badge = ({ tone = 'neutral', children }: { readonly tone?: Tone; readonly children: ReactNode }) => (
  <span className="badge" data-tone={tone}>
    {signs[tone] !== '' && <span aria-hidden="true">{signs[tone]}</span>}
    {children}
  </span>
);
