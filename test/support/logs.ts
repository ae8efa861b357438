/** A JSON line in the Lambda's log group. */
export type Line = Readonly<Record<string, unknown>>;

const isMetric = (line: Line): boolean => '_aws' in line;
/** A line of an event. It can also have metrics. */
const isEvent = (line: Line): boolean => 'message' in line || !isMetric(line);

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
    lines: (): Line[] => parsed().filter(isEvent),
    /** The lines with metrics (EMF), with or without an event. */
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
  ...['xray_trace_id', 'init_ms', 'memory_used_mb', 'memory_size_mb'],
];

/** The fields of a line, without those that every line has except `level` and `message`. */
export const ownFields = (line: Line): Line =>
  Object.fromEntries(Object.entries(line).filter(([name]) => !common.includes(name)));
