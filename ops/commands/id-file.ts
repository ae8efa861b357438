import { existsSync, readFileSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { type OrderId, orderIdSchema } from '../../shared/orders/order';
import { UsageError } from './input';

/** Maximum number of faults that an error lists; further ones are counted. */
const namedFaults = 5;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown error';

/** Formats a file of order IDs: one ID per line; `#` begins a comment. */
export const toIdLines = (orders: readonly { readonly orderId: OrderId; readonly comment?: string }[]): string =>
  orders.map(({ orderId, comment }) => `${orderId}${comment === undefined ? '' : ` # ${comment}`}\n`).join('');

/**
 * Reads a file of order ids.
 *
 * @returns each ID once, in the order of the file
 * @throws {UsageError} if the file cannot be read, or a line is not an ID
 */
export const readIdFile = (path: string): OrderId[] => {
  const ids = new Set<OrderId>();
  const faults: string[] = [];
  for (const [index, line] of readLines(path).entries()) {
    const text = line.replace(/#.*/, '').trim();
    if (text === '') continue;
    const { data } = orderIdSchema.safeParse(text);
    if (data === undefined)
      faults.push(`${path}, line ${index + 1}: ${JSON.stringify(text.slice(0, 60))} is not an order id`);
    else ids.add(data);
  }
  const more = faults.length - namedFaults;
  if (more > 0) throw new UsageError([...faults.slice(0, namedFaults), `… and ${more} more lines`]);
  if (faults.length > 0) throw new UsageError(faults);
  return [...ids];
};

const readLines = (path: string): string[] => {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/);
  } catch (error) {
    throw new UsageError([`the file ${path} cannot be read (${codeOf(error)})`]);
  }
};

/**
 * Checks that a file can be written, before the work whose result is written to it.
 *
 * @throws {UsageError} if it cannot be written
 */
export const checkWritable = async (path: string): Promise<void> => {
  try {
    await (await open(path, 'a')).close();
  } catch (error) {
    throw cannotWrite(path, error);
  }
};

const cannotWrite = (path: string, error: unknown): UsageError =>
  new UsageError([`the file ${path} cannot be written (${codeOf(error)})`]);

/** Writes a file atomically: neither a reader nor a crash finds a partial file. */
export const writeWhole = async (path: string, text: string): Promise<void> => {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    throw cannotWrite(path, error);
  }
};

/** Minimum time between two writes of the same file. */
const writeIntervalMs = 5_000;

/**
 * Keeps the IDs that a replay has not started in a file, so that the replay can continue after an interruption.
 *
 * @param path must not exist, unless it is the list from which the replay reads
 */
export const createRestFile = (path: string, listPath: string | undefined, now: () => number) => {
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  const write = async (left: readonly OrderId[]): Promise<void> => {
    writtenAtMs = now();
    await writeWhole(path, toIdLines(left.map((orderId) => ({ orderId }))));
  };
  return {
    path,
    /** @throws {UsageError} if the file exists already, or cannot be written */
    open: async (all: readonly OrderId[]): Promise<void> => {
      if (path !== listPath && existsSync(path)) throw new UsageError([`the file ${path} already exists`]);
      await write(all);
    },
    /** Writes the remaining IDs, unless the last write was a moment ago. */
    update: async (left: () => readonly OrderId[]): Promise<void> => {
      if (now() - writtenAtMs >= writeIntervalMs) await write(left());
    },
    /** Writes the remaining IDs, or removes the file if there are none. */
    close: (left: readonly OrderId[]): Promise<void> => (left.length > 0 ? write(left) : rm(path, { force: true })),
  };
};
