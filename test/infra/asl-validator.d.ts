declare module 'asl-validator' {
  /** Checks a definition against the schema of the Amazon States Language and its cross-references. */
  function validate(definition: unknown): { isValid: boolean; errorsText: (separator?: string) => string };
  export default validate;
}
