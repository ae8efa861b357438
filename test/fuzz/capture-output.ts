/** Captures standard output and error until `stop`. */
export const captureOutput = () => {
  const streams = [process.stdout, process.stderr];
  const writes = streams.map(({ write }) => write);
  let text = '';
  for (const stream of streams) {
    stream.write = (chunk: unknown): boolean => {
      text += typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString();
      return true;
    };
  }
  return {
    text: (): string => text,
    clear: (): void => {
      text = '';
    },
    stop: (): void => {
      for (const [index, stream] of streams.entries()) {
        const write = writes[index];
        if (write !== undefined) stream.write = write;
      }
    },
  };
};
