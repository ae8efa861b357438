import type { Interval } from 'ohm-js';

/** A syntax error in a query. Its message shows the place and what is expected there. */
export class QuerySyntaxError extends Error {
  override readonly name = 'QuerySyntaxError';

  /**
   * @param start offset of the first invalid character
   * @param end offset after the last one
   */
  constructor(
    message: string,
    readonly start: number,
    readonly end: number,
  ) {
    super(message);
  }
}

/** Creates the error for text that matches the grammar but is invalid for another reason. */
export const faultAt = (where: Interval, message: string): QuerySyntaxError =>
  new QuerySyntaxError(`${where.getLineAndColumnMessage()}${message}`, where.startIdx, where.endIdx);
