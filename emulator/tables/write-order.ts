/** What abstract-level calls to write to LevelDB. */
const writeMethods = ['_put', '_del', '_batch', '_clear'];

/**
 * Makes `level` start each write when the one before it has succeeded, and none after a failure. When a write fails,
 * LevelDB leaves half a record behind; it accepts later writes but does not read them at its next start. Without this,
 * a write that another thread does at the same time could be acknowledged before the failure ends this process.
 *
 * @param level an open or opening database of abstract-level
 * @throws {Error} if the database no longer has one of these methods
 */
export const writeOneAtATime = (level: object): void => {
  let last: Promise<unknown> = Promise.resolve();
  for (const name of writeMethods) {
    const write: unknown = Reflect.get(level, name);
    if (typeof write !== 'function') {
      throw new Error(`abstract-level no longer writes with ${name}`);
    }
    Reflect.set(level, name, (...args: unknown[]) => {
      const written = last.then(() => Reflect.apply(write, level, args));
      last = written;
      return written;
    });
  }
};
