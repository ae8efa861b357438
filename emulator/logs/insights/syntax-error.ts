import type { Interval } from 'ohm-js';

/** A query that cannot be read. Its message shows where, and says what would have been right there. */
export class QuerySyntaxError extends Error {
  override readonly name = 'QuerySyntaxError';

  /**
   * @param start offset of the first character that is wrong
   * @param end offset of the first one behind
   */
  constructor(
    message: string,
    readonly start: number,
    readonly end: number,
  ) {
    super(message);
  }
}

/** The error of what the grammar allows and its meaning does not. */
export const faultAt = (where: Interval, message: string): QuerySyntaxError =>
  new QuerySyntaxError(`${where.getLineAndColumnMessage()}${message}`, where.startIdx, where.endIdx);
