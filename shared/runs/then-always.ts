/**
 * Does `work`, and then `end`, whatever became of the work. When both fail, the error of the work is thrown: it is the
 * one to be mended.
 */
export const thenAlways = async <T>(work: () => Promise<T>, end: () => Promise<unknown>): Promise<T> => {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await end().catch(() => undefined);
    throw error;
  }
  await end();
  return result;
};
