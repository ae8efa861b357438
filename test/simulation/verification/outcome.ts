/** What a call of a program led to, as far as every implementation of AWS must agree. */
export type Outcome = object;

const isServiceError = (error: unknown): error is Error & { $metadata: { httpStatusCode?: number } } =>
  error instanceof Error && '$fault' in error && '$metadata' in error;

/**
 * The outcome of a call: what `select` takes from the response, or the name and the status of the error. Two
 * differences are allowed: the texts of errors, and the prefix of SQS's older protocol in the name.
 */
export const outcomeOf = async <Response>(
  call: Promise<Response>,
  select: (response: Response) => Outcome,
): Promise<Outcome> => {
  try {
    return select(await call);
  } catch (error) {
    if (!isServiceError(error)) throw error;
    return { error: error.name.replace('AWS.SimpleQueueService.', ''), status: error.$metadata.httpStatusCode };
  }
};
