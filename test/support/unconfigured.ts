/** A function of a test double that must not be called: it throws. */
export const unconfigured = (name: string) => (): never => {
  throw new Error(`${name} was called but is not configured`);
};
