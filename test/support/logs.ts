/** A JSON line in the Lambda's log group. */
export type Line = Readonly<Record<string, unknown>>;

const isMetric = (line: Line): boolean => '_aws' in line;

/**
 * Captures what a Lambda writes to standard output and error, until `stop`.
 * A line that is not JSON is kept as `{ text }`.
 */
export const captureLogs = () => {
  const chunks: string[] = [];
  const keep = (chunk: unknown): boolean => {
    chunks.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString());
    return true;
  };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(keep),
    jest.spyOn(process.stderr, 'write').mockImplementation(keep),
  ];
  const parsed = (): Line[] =>
    chunks
      .join('')
      .split('\n')
      .filter(Boolean)
      .map((text) => {
        try {
          return JSON.parse(text) as Line;
        } catch {
          return { text };
        }
      });
  return {
    /** Everything that was written, unchanged. */
    text: (): string => chunks.join(''),
    lines: (): Line[] => parsed().filter((line) => !isMetric(line)),
    /** The EMF lines. */
    metrics: (): Line[] => parsed().filter(isMetric),
    clear: (): void => {
      chunks.length = 0;
    },
    stop: (): void => {
      for (const spy of spies) spy.mockRestore();
    },
  };
};

export type CapturedLogs = ReturnType<typeof captureLogs>;

const common = [
  ...['timestamp', 'service', 'stage', 'version', 'function_name', 'function_request_id', 'cold_start'],
  'xray_trace_id',
];

/** A line without the common fields, except its level and message. */
export const ownFields = (line: Line): Line =>
  Object.fromEntries(Object.entries(line).filter(([name]) => !common.includes(name)));
