import { types } from 'node:util';

const systemCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** LevelDB has no codes of its own for these. */
const systemMessages = /No space left on device|Disk quota exceeded|File too large/;
/** `SQLITE_FULL`, and `SQLITE_IOERR_WRITE`, which SQLite reports for a limit on the size of files. */
const sqliteCodes: ReadonlySet<unknown> = new Set([13, 778]);

/** Whether an error, or its cause, says that no more can be written: the disk, a quota or a file size limit is full. */
export const isDiskFull = (error: unknown): error is Error => {
  if (!types.isNativeError(error)) {
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
 * Ends this process, as an uncaught exception, if `error` says that the disk is full. LevelDB leaves half a record
 * behind: it acknowledges later writes once there is space again, but does not read them at its next start.
 */
export const crashIfDiskFull = (error: unknown): void => {
  if (isDiskFull(error)) {
    process.nextTick(() => {
      throw error;
    });
  }
};
