/** Commands of CloudWatch Logs Insights that the embedded AWS does not evaluate. */
const insightsCommands: ReadonlySet<string> = new Set([
  ...['pattern', 'diff', 'anomaly', 'unmask', 'unnest', 'filterindex', 'lookup', 'source', 'join', 'subquery'],
]);

/** Functions of CloudWatch Logs Insights that the embedded AWS does not evaluate; in lower case. */
export const insightsFunctions: ReadonlySet<string> = new Set([
  ...['jsonparse', 'jsonstringify', 'urlencode', 'urldecode', 'tonumber', 'case', 'if', 'values', 'collect'],
  ...['isvalidip', 'isvalidipv4', 'isvalidipv6', 'isipinsubnet', 'isipv4insubnet', 'isipv6insubnet', 'hash', 'md5'],
  ...['formattime', 'parsetime', 'round', 'trunc', 'regex_replace', 'count_frequent', 'estimate_distinct'],
]);

/** The refusal of a query that CloudWatch Logs Insights accepts. */
export const unsupported = (what: string): string =>
  `${what} is valid in CloudWatch Logs Insights, but the embedded AWS does not support it`;

/** The command at which the parser stopped, if CloudWatch Logs Insights has it. */
export const unsupportedCommandAt = (text: string, index: number): string | undefined => {
  const [word] = /^\s*\|?\s*(\w+)/.exec(text.slice(index)) ?? [];
  const name = word?.replaceAll(/[\s|]/g, '');
  return name !== undefined && insightsCommands.has(name.toLowerCase()) ? name : undefined;
};
