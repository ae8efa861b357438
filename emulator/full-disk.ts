import { types } from 'node:util';

const systemCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** LevelDB has no error codes for these. */
const systemMessages = /No space left on device|Disk quota exceeded|File too large/;
/** `SQLITE_FULL`, and `SQLITE_IOERR_WRITE`, which SQLite reports when a file reaches a size limit. */
const sqliteCodes: ReadonlySet<unknown> = new Set([13, 778]);

/** Whether an error or its cause reports a full disk, an exceeded quota or a file size limit. */
export const isDiskFull = (error: unknown): error is Error => {
  // An error from another realm, such as jest's, is native; one from another thread is not.
  if (!types.isNativeError(error) && !(error instanceof Error)) {
    return false;
  }
  const code = 'code' in error ? error.code : undefined;
  const errcode = 'errcode' in error ? error.errcode : undefined;
  return (
    systemCodes.has(code) ||
    (code === 'ERR_SQLITE_ERROR' && sqliteCodes.has(errcode)) ||
    systemMessages.test(error.message) ||
    isDiskFull(error.cause)
  );
};

/**
 * Ends this process with an uncaught exception if `error` reports a full disk: the state in memory may then differ from
 * the state on the disk.
 */
export const crashIfDiskFull = (error: unknown): void => {
  if (isDiskFull(error)) {
    process.nextTick(() => {
      throw error;
    });
  }
};
