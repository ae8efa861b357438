import * as fc from 'fast-check';
import { hostileTexts, type Large, largeBytes, largeNames } from './hostile-values';
import { type Gap, gapsIn, hostileJson } from './json-text';

/** Input bytes. Large inputs are given by name, which a report can print; `within` is the text around them. */
export type Bytes = Buffer | { readonly large: Large; readonly within?: Gap };

export const toBuffer = (bytes: Bytes): Buffer => {
  if (Buffer.isBuffer(bytes)) return bytes;
  const { before, after } = bytes.within ?? { before: '', after: '' };
  return Buffer.concat([Buffer.from(before), largeBytes(bytes.large), Buffer.from(after)]);
};

/** Invalid UTF-8 (truncated, overlong, a surrogate, beyond Unicode), byte order marks, and bytes with a meaning in JSON. */
const oddBytes = [
  ...[[0xff], [0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xef, 0xbb, 0xbf]],
  ...[[0xff, 0xfe], [0x00], [0x0a], [0x22], [0x5c], [0x7b]],
].map((bytes) => Buffer.from(bytes));

/**
 * One named corpus input for each large value in place of the whole document, and for a long list in place of each list
 * and map within it.
 */
export const largeCorpus = <Input>(
  document: unknown,
  toInput: (body: Bytes) => Input,
  documentName = 'the body',
): Readonly<Record<string, Input>> =>
  Object.fromEntries([
    ...largeNames.map((large) => [`${large} for ${documentName}`, toInput({ large })] as const),
    ...gapsIn(document).map(
      (within) => [`${longList} for ${within.path} in ${documentName}`, toInput({ large: longList, within })] as const,
    ),
  ]);

const longList = 'a list of 60,000';

interface Damage {
  readonly at: number;
  readonly how: 'insert' | 'overwrite' | 'cut' | 'prepend';
  readonly bytes: Buffer;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.nat(10_000),
  how: fc.constantFrom('insert', 'overwrite', 'cut', 'prepend'),
  bytes: fc.constantFrom(...oddBytes),
});

const applyDamage = (bytes: Buffer, { at, how, bytes: odd }: Damage): Buffer => {
  const place = how === 'prepend' ? 0 : at % (bytes.length + 1);
  const after = how === 'cut' ? bytes.length : how === 'overwrite' ? place + odd.length : place;
  return Buffer.concat([bytes.subarray(0, place), odd, bytes.subarray(after)]);
};

/** The weight of each kind of input among all inputs. */
const weights = { changed: 1_600, damaged: 300, json: 60, text: 20, random: 20, large: 1 };

/** Replacements of a document: mostly a changed document, occasionally arbitrary bytes. */
export const hostileBytes = (documents: readonly unknown[]): fc.Arbitrary<Bytes> => {
  const changed = hostileJson(documents).map((text) => Buffer.from(text));
  return fc.oneof(
    { weight: weights.changed, arbitrary: changed },
    { weight: weights.damaged, arbitrary: fc.tuple(changed, damage).map(([bytes, how]) => applyDamage(bytes, how)) },
    { weight: weights.json, arbitrary: fc.json({ maxDepth: 2 }).map((text) => Buffer.from(text)) },
    { weight: weights.text, arbitrary: fc.constantFrom(...hostileTexts).map((text) => Buffer.from(text)) },
    { weight: weights.random, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
    { weight: weights.large, arbitrary: fc.constantFrom(...largeNames).map((name) => ({ large: name })) },
  );
};
