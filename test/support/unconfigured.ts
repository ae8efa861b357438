/** A function of a test double that throws when it is called. */
export const unconfigured = (name: string) => (): never => {
  throw new Error(`${name} was called but is not configured`);
};
