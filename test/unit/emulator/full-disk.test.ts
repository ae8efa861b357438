import { isDiskFull } from '../../../emulator/full-disk';

const errorWith = (message: string, members: object = {}) => Object.assign(new Error(message), members);

test.each([
  ['the disk', errorWith('ENOSPC: no space left on device, write', { code: 'ENOSPC' })],
  ['a quota', errorWith('EDQUOT: disk quota exceeded, write', { code: 'EDQUOT' })],
  ['a limit on files', errorWith('EFBIG: file too large, write', { code: 'EFBIG' })],
  ['SQLite', errorWith('database or disk is full', { code: 'ERR_SQLITE_ERROR', errcode: 13 })],
  ['SQLite with a limit on files', errorWith('disk I/O error', { code: 'ERR_SQLITE_ERROR', errcode: 778 })],
  ['LevelDB', errorWith('IO error: /x/tables/000005.log: No space left on device', { code: 'LEVEL_IO_ERROR' })],
  ['a cause', new Error('Database failed to open', { cause: errorWith('ENOSPC', { code: 'ENOSPC' }) })],
])('recognizes a full disk: %s', (_name, error) => {
  expect(isDiskFull(error)).toBe(true);
});

test.each([
  ['another error', new Error('no')],
  ['a locked database', errorWith('database is locked', { code: 'ERR_SQLITE_ERROR', errcode: 5 })],
  ['a damaged file', errorWith('IO error: /x/000005.ldb: Invalid argument', { code: 'LEVEL_IO_ERROR' })],
  ['an errcode without the code of SQLite', errorWith('x', { errcode: 13 })],
  ['a string', 'ENOSPC'],
  ['undefined', undefined],
])('%s is not a full disk', (_name, error) => {
  expect(isDiskFull(error)).toBe(false);
});
