const unitsMs: readonly (readonly [pattern: RegExp, ms: number])[] = [
  [/^(ms|msecs?|milliseconds?)$/, 1],
  [/^(s|secs?|seconds?)$/, 1_000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hrs?|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000],
  [/^(w|weeks?)$/, 604_800_000],
];

/** Milliseconds of `5m`, `30secs` and the like; nothing for a unit that has no fixed length. */
export const readDurationMs = (text: string): number | undefined => {
  const [, count, unit = ''] = /^(\d+)(.*)$/.exec(text) ?? [];
  const [, ms] = unitsMs.find(([pattern]) => pattern.test(unit.toLowerCase())) ?? [];
  return ms === undefined ? undefined : Number(count) * ms;
};

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** The text between quotes. */
export const unquote = (quoted: string): string =>
  quoted.slice(1, -1).replaceAll(/\\(.)/gs, (_all, escaped: string) => escapes[escaped] ?? escaped);

/** The pattern between slashes, with `(?i)` and the like in front of it; nothing if it is not valid. */
export const readPattern = (slashed: string): RegExp | undefined => {
  const [, flags = '', source = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(slashed.slice(1, -1)) ?? [];
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
};

/** A pattern of a text in which each `*` stands for any other: these are its groups. */
export const readGlob = (glob: string): RegExp => {
  const parts = glob.split('*').map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  const last = parts.pop() ?? '';
  // Behind the last star, as much as there is; behind the others, as little as will do.
  const open = parts.map((part, index) => `${part}${last === '' && index === parts.length - 1 ? '(.*)' : '(.*?)'}`);
  return new RegExp(`${open.join('')}${last}`, 's');
};
