/** Lines of a stack trace, and paths of source files. */
const stackTrace = /\n\s+at |node_modules|\/(lambdas|shared|ops)\/[\w/-]+\.[jt]s/;

/** Checks a text that leaves the system. @returns a sentence for each secret text or stack trace in it */
export const leaksOf = (text: string, secretTexts: readonly string[]): readonly string[] => [
  ...secretTexts.filter((secret) => text.includes(secret)).map((secret) => `it leaked ${secret}`),
  ...(stackTrace.test(text) ? ['it leaked a stack trace'] : []),
];
