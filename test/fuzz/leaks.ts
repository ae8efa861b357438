/** Lines of a stack, and names of our files. */
const stack = /\n\s+at |node_modules|\/(lambdas|shared|ops)\/[\w/-]+\.[jt]s/;

/** Returns what an outgoing text must not contain. */
export const leaksOf = (said: string, unspeakable: readonly string[]): readonly string[] => [
  ...unspeakable.filter((text) => said.includes(text)).map((text) => `it leaked ${text}`),
  ...(stack.test(said) ? ['it leaked a stack'] : []),
];
