/** A double's function that nobody told what to answer: being called is the fault. */
export const untold = (name: string) => (): never => {
  throw new Error(`${name} was called, and was not told what to answer`);
};
