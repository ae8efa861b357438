import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkWritable, createRestFile, readIdFile, toIdLines, writeWhole } from '../../../../ops/commands/id-file';
import type { OrderId } from '../../../../shared/orders/order';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ids-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const ids = (...texts: string[]): OrderId[] => texts as OrderId[];
const fileOf = (text: string): string => {
  const path = join(folder, 'some.ids');
  writeFileSync(path, text);
  return path;
};

test('reads one ID per line, without duplicates, comments and blanks', () => {
  const path = fileOf('\uFEFFQO-1\r\n\n# a comment\n  QO-2  # price dueDate\nQO-1\nQO-3');
  expect(readIdFile(path)).toEqual(['QO-1', 'QO-2', 'QO-3']);
});

test('reads what it writes', () => {
  const lines = toIdLines([{ orderId: ids('QO-1')[0] as OrderId, comment: 'price' }, { orderId: 'QO-2' as OrderId }]);
  expect(lines).toBe('QO-1 # price\nQO-2\n');
  expect(readIdFile(fileOf(lines))).toEqual(['QO-1', 'QO-2']);
});

test('lists the lines that are not an ID', () => {
  const path = fileOf('QO-1\nno/id\nQO 2\n');
  expect(() => readIdFile(path)).toThrow(
    `Several errors:\n  ${path}, line 2: "no/id" is not an order id\n  ${path}, line 3: "QO 2" is not an order id`,
  );
});

test('lists some faults and counts the others', () => {
  const path = fileOf('no/id\n'.repeat(1_000));
  expect(() => readIdFile(path)).toThrow(/line 5: "no\/id" is not an order id\n {2}… and 995 more lines$/);
});

test('an error about a missing file contains its path', async () => {
  const missing = join(folder, 'none', 'some.ids');
  expect(() => readIdFile(missing)).toThrow(`the file ${missing} cannot be read (ENOENT).`);
  await expect(checkWritable(missing)).rejects.toThrow(`the file ${missing} cannot be written (ENOENT).`);
  await expect(writeWhole(missing, '')).rejects.toThrow(`the file ${missing} cannot be written (ENOENT).`);
});

test('checking that a file can be written keeps its contents', async () => {
  const path = fileOf('QO-1\n');
  await checkWritable(path);
  expect(readFileSync(path, 'utf8')).toBe('QO-1\n');
});

describe('the --rest file', () => {
  const open = (listPath?: string) => {
    let nowMs = 0;
    const path = join(folder, 'rest.ids');
    const rest = createRestFile(path, listPath, () => nowMs);
    const read = () => (existsSync(path) ? readIdFile(path) : undefined);
    return { path, rest, read, advance: (ms: number) => (nowMs += ms) };
  };

  it('has all IDs at first, the remaining ones every few seconds and at the end, and is removed if none remain', async () => {
    const { rest, read, advance } = open();
    await rest.open(ids('QO-1', 'QO-2', 'QO-3'));
    expect(read()).toEqual(['QO-1', 'QO-2', 'QO-3']);
    advance(4_999);
    await rest.update(() => ids('QO-2', 'QO-3'));
    expect(read()).toEqual(['QO-1', 'QO-2', 'QO-3']);
    advance(1);
    await rest.update(() => ids('QO-2', 'QO-3'));
    expect(read()).toEqual(['QO-2', 'QO-3']);
    await rest.close(ids('QO-3'));
    expect(read()).toEqual(['QO-3']);
    await rest.close([]);
    expect(read()).toBeUndefined();
  });

  it('does not overwrite another file', async () => {
    const { rest, path, read } = open();
    writeFileSync(path, 'QO-9\n');
    await expect(rest.open(ids('QO-1'))).rejects.toThrow(`the file ${path} already exists.`);
    expect(read()).toEqual(['QO-9']);
  });

  it('can be the list itself, which then shrinks', async () => {
    const { rest, path, read } = open(join(folder, 'rest.ids'));
    writeFileSync(path, 'QO-1\nQO-2\n');
    await rest.open(ids('QO-1', 'QO-2'));
    await rest.close(ids('QO-2'));
    expect(read()).toEqual(['QO-2']);
  });
});
