const unitsMs: readonly (readonly [pattern: RegExp, ms: number])[] = [
  [/^(ms|msecs?|milliseconds?)$/, 1],
  [/^(s|secs?|seconds?)$/, 1_000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hrs?|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000],
  [/^(w|weeks?)$/, 604_800_000],
];

/** Milliseconds of a duration such as `5m` or `30secs`; undefined for a unit without a fixed length. */
export const readDurationMs = (text: string): number | undefined => {
  const [, count, unit = ''] = /^(\d+)(.*)$/.exec(text) ?? [];
  const [, ms] = unitsMs.find(([pattern]) => pattern.test(unit.toLowerCase())) ?? [];
  return ms === undefined ? undefined : Number(count) * ms;
};

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** Removes the quotes around a text. */
export const unquote = (quoted: string): string =>
  quoted.slice(1, -1).replaceAll(/\\(.)/gs, (_all, escaped: string) => escapes[escaped] ?? escaped);

/** Compiles a pattern between slashes, with flags such as `(?i)` before it; undefined if it is not valid. */
export const readPattern = (slashed: string): RegExp | undefined => {
  const [, flags = '', source = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(slashed.slice(1, -1)) ?? [];
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
};

/** Compiles a text to a pattern. Each `*` becomes a group that matches any text. */
export const readGlob = (glob: string): RegExp => {
  const parts = glob.split('*').map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  const last = parts.pop() ?? '';
  // The last star is greedy, the others are lazy.
  const open = parts.map((part, index) => `${part}${last === '' && index === parts.length - 1 ? '(.*)' : '(.*?)'}`);
  return new RegExp(`${open.join('')}${last}`, 's');
};
