import { PipelineError } from '../errors';

/** A response that another try would not fix. */
export const badAnswer = (message: string): PipelineError =>
  new PipelineError('BAD_ANSWER', message, { api: 'netlife', retryable: false });
