import { toServiceFault } from '../fault';

/** A part of the status. `missing` is the reason why it cannot be read, as a sentence without a full stop. */
export type Reading<T> = { readonly value: T } | { readonly missing: string };

/** Reads a part of the status, so that a part that fails does not hide the others. */
export const read = async <T>(work: () => Promise<T>): Promise<Reading<T>> => {
  try {
    return { value: await work() };
  } catch (thrown) {
    const fault = toServiceFault(thrown);
    if (fault === undefined) throw thrown;
    return { missing: fault.message.replace(/\.$/, '') };
  }
};

/** The value of a reading; undefined if it is missing. */
export const known = <T>(reading: Reading<T>): T | undefined => ('value' in reading ? reading.value : undefined);
