/**
 * Shows progress: in a terminal, one line that is overwritten; elsewhere, a line every five seconds. Several activities
 * share the line.
 */
export interface Progress {
  /** Adds an activity to the line. @returns a function that replaces its text; an empty text removes it */
  activity(): (text: string) => void;
  /** Prints a line that stays. */
  note(text: string): void;
}

const quietIntervalMs = 5_000;

/** Creates a progress display on `stream`. */
export const createProgress = (stream: NodeJS.WriteStream): Progress => {
  const texts: string[] = [];
  let shown = '';
  let lastMs = 0;
  const clear = () => stream.isTTY && shown !== '' && stream.write('\r\u001b[2K');
  const show = () => {
    const text = texts.filter((part) => part !== '').join(' · ');
    if (text === shown) return;
    if (stream.isTTY) {
      clear();
      stream.write(text.slice(0, stream.columns - 1));
    } else if (text !== '' && Date.now() - lastMs >= quietIntervalMs) {
      lastMs = Date.now();
      stream.write(`${text}\n`);
    }
    shown = text;
  };
  return {
    activity: () => {
      const index = texts.push('') - 1;
      return (text) => {
        texts[index] = text;
        show();
      };
    },
    note: (text) => {
      clear();
      stream.write(`${text}\n`);
      if (stream.isTTY) stream.write(shown.slice(0, stream.columns - 1));
    },
  };
};
