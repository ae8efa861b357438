import type { FunctionCall } from '../../../emulator/lambda/function-call';
import { isSentIndex, type RecordedCall } from './scenario';
import { portals } from './world';

/** A response in place of the simulator's or S3's; undefined forwards the call. Without `body`, the body is empty. */
type Response = { readonly status: number; readonly body?: unknown } | undefined;
type RespondTo = (call: FunctionCall, id: string, recorded: readonly RecordedCall[]) => Response;

/**
 * Qualia's list of open orders for the reconciler of one scenario: only the scenario's own order, repeated on every page.
 * The reconciler stops at the first repeated page, and no scenario processes another's order.
 */
const openOrders: RespondTo = ({ functionName }, id) =>
  functionName.endsWith('-reconciler')
    ? { status: 200, body: { data: { orders: { orders: [{ _id: id }] } } } }
    : undefined;

/** Hides the stored passes of other scenarios, which contain their orders: no earlier pass, and none in progress. */
const noPass: RespondTo = ({ functionName, service, operation }) =>
  functionName.endsWith('-reconciler') && service === 's3' && operation === 'GetObject' ? { status: 404 } : undefined;

/** Hides the orders of other scenarios from the scan of the table. */
const noOtherOrders: RespondTo = ({ service, operation }) =>
  service === 'dynamodb' && operation === 'Scan' ? { status: 200, body: { Items: [] } } : undefined;

/** Many scenarios use the same portal at the same time: each one finds its leases free, as in its own stage. */
const freeLeases: RespondTo = ({ service, resource }) =>
  service === 'dynamodb' && resource.includes('Operations') ? { status: 200, body: {} } : undefined;

/** Hides the numbers of contacts of other scenarios: no run has a usual number. */
const noUsual: RespondTo = ({ functionName, service, operation, resource }) => {
  if (!functionName.endsWith('-netlife-merge') || service !== 's3' || !resource.includes('/usual/')) return undefined;
  return { status: 200, ...(operation === 'GetObject' && { body: {} }) };
};

/** The index of sent users of one scenario: as its newest write that arrived has left it. */
const ownSentIndex: RespondTo = ({ service, operation, resource }, _id, recorded) => {
  if (service !== 's3' || !isSentIndex(resource)) return undefined;
  if (operation !== 'GetObject') return { status: 200 };
  return { status: 200, body: JSON.parse(newestSentIndex(recorded) ?? '{}') };
};

/** The index of sent users that a scenario has written. */
export const newestSentIndex = (recorded: readonly RecordedCall[]): string | undefined =>
  recorded.findLast((call) => call.arrived && call.operation.startsWith('PutObject') && isSentIndex(call.resource))
    ?.body;

/** Hides the access keys that other scenarios have read: none is known. */
const noKnownKeys: RespondTo = ({ service, operation, resource }) =>
  service === 's3' && resource.includes('/access-keys/')
    ? { status: 200, ...(operation === 'GetObject' && { body: {} }) }
    : undefined;

/**
 * The access keys of a subject within one scenario: those that the scenario created, each different. Some subjects
 * already have one.
 */
const accessKeys: RespondTo = ({ operation, resource }, _id, recorded) => {
  if (!operation.endsWith('/accesskeys')) return undefined;
  const created = recorded.filter(isKeyCreation).filter((call) => call.resource === resource);
  const existing = /[02468]\/accesskeys$/.test(resource) ? ['KEY-0'] : [];
  const keys = [...existing, ...created.map((_, index) => `KEY-${index + 1}`)];
  return operation.startsWith('POST')
    ? { status: 201, body: { access_key: `KEY-${keys.length + 1}` } }
    : { status: 200, body: { access_keys: keys } };
};

export const isKeyCreation = ({ operation, arrived }: RecordedCall): boolean =>
  arrived && operation.startsWith('POST') && operation.endsWith('/accesskeys');

/** A job that does not exist in the portal: it fails in every run. */
const missingJob: RespondTo = ({ operation }) =>
  /\/jobs\/[^/]*0002$/.test(operation) ? { status: 404, body: {} } : undefined;

/** A job name so long that a few contacts make the file too large for one call to S3. */
const largeJob: RespondTo = ({ operation }) =>
  operation.includes(`/${portals.large}/`) && /\/jobs\/[^/]*$/.test(operation)
    ? { status: 200, body: { name: 'x'.repeat(1_000_000) } }
    : undefined;

/** The response to a call of a scenario; undefined forwards the call to its server. */
export const respondTo: RespondTo = (call, id, recorded) => {
  const ofAws = [noPass, noOtherOrders, noUsual, noKnownKeys, ownSentIndex, freeLeases];
  const ofApis = [openOrders, accessKeys, missingJob, largeJob];
  for (const respond of call.service === 'http' ? ofApis : ofAws) {
    const response = respond(call, id, recorded);
    if (response !== undefined) return response;
  }
  return undefined;
};
