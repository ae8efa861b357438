/**
 * Runs `work`, and then `end`, whether or not the work failed. If both fail, the error of the work is thrown: it is the
 * one to fix.
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
