/** Shows progress: in a terminal, one line that is overwritten; elsewhere, a line every five seconds. */
export interface Progress {
  update(text: string): void;
  /** Prints a line that stays. */
  note(text: string): void;
  end(): void;
}

const quietIntervalMs = 5_000;

/** Creates a progress display on `stream`. */
export const createProgress = (stream: NodeJS.WriteStream): Progress => {
  let shown = '';
  let lastMs = 0;
  const clear = () => stream.isTTY && stream.write('\r\u001b[2K');
  return {
    update: (text) => {
      if (text === shown) return;
      if (stream.isTTY) {
        clear();
        stream.write(text.slice(0, stream.columns - 1));
      } else if (Date.now() - lastMs >= quietIntervalMs) {
        lastMs = Date.now();
        stream.write(`${text}\n`);
      }
      shown = text;
    },
    note: (text) => {
      clear();
      stream.write(`${text}\n`);
      if (stream.isTTY) stream.write(shown);
    },
    end: () => {
      if (stream.isTTY && shown !== '') stream.write('\n');
      shown = '';
    },
  };
};
