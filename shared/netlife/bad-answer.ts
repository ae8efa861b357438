import { PipelineError } from '../errors';

/** An answer that another try would not mend. */
export const badAnswer = (message: string): PipelineError =>
  new PipelineError('BAD_ANSWER', message, { api: 'netlife', retryable: false });
