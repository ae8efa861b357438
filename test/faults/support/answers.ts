import type { FunctionCall } from '../../../emulator/lambda/function-call';
import type { SeenCall } from './cell';
import { portals } from './world';

/** What is answered in place of a simulator, or of S3, or `undefined`. Without a body it is empty. */
type Answer = { readonly status: number; readonly body?: unknown } | undefined;
type AnswerTo = (call: FunctionCall, id: string, seen: readonly SeenCall[]) => Answer;

/**
 * Qualia's list of open orders for the reconciler of one cell: only the cell's own order, repeated on every page. The walk
 * ends at the first repeated page, and no cell processes the order of another.
 */
const openOrders: AnswerTo = ({ functionName }, id) =>
  functionName.endsWith('-reconciler')
    ? { status: 200, body: { data: { orders: { orders: [{ _id: id }] } } } }
    : undefined;

/** No pass came before, nor is one in progress: those that others have stored name the orders of other cells. */
const noPass: AnswerTo = ({ functionName, service, operation }) =>
  functionName.endsWith('-reconciler') && service === 's3' && operation === 'GetObject' ? { status: 404 } : undefined;

/** The access keys of a subject, as one cell sees them: those that it created itself, each of them another. */
const accessKeys: AnswerTo = ({ operation, resource }, _id, seen) => {
  if (!operation.endsWith('/accesskeys')) return undefined;
  const created = seen.filter(isCreatedKey).filter((call) => call.resource === resource);
  const keys = created.map((_, index) => `KEY-${index + 1}`);
  return operation.startsWith('POST')
    ? { status: 201, body: { access_key: `KEY-${keys.length + 1}` } }
    : { status: 200, body: { access_keys: keys } };
};

export const isCreatedKey = ({ operation, arrived }: SeenCall): boolean =>
  arrived && operation.startsWith('POST') && operation.endsWith('/accesskeys');

/** A job that does not exist in the portal: it fails in every run. */
const refusedJob: AnswerTo = ({ operation }) =>
  /\/jobs\/[^/]*0002$/.test(operation) ? { status: 404, body: {} } : undefined;

/** With a few contacts of this name, the file is too large for one call to S3. */
const largeJob: AnswerTo = ({ operation }) =>
  operation.includes(`/${portals.large}/`) && /\/jobs\/[^/]*$/.test(operation)
    ? { status: 200, body: { name: 'x'.repeat(1_000_000) } }
    : undefined;

/** The world's own answer to a call of a cell; without one, a simulator answers. */
export const answerTo: AnswerTo = (call, id, seen) => {
  if (call.service !== 'http') return noPass(call, id, seen);
  for (const answer of [openOrders, accessKeys, refusedJob, largeJob]) {
    const found = answer(call, id, seen);
    if (found !== undefined) return found;
  }
  return undefined;
};
