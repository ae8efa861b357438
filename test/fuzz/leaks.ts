/** Lines of a stack, and names of our own files. */
const stack = /\n\s+at |node_modules|\/(lambdas|shared|ops)\/[\w/-]+\.[jt]s/;

/** What a text that leaves us must not hold. */
export const leaksOf = (said: string, unspeakable: readonly string[]): readonly string[] => [
  ...unspeakable.filter((text) => said.includes(text)).map((text) => `it told ${text}`),
  ...(stack.test(said) ? ['it told a stack'] : []),
];
