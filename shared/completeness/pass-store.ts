import { gunzipSync, gzipSync } from 'node:zlib';
import { GetObjectCommand, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import * as z from 'zod/mini';
import { parseJson } from '../json';
import type { OrderId } from '../orders/order';
import type { Entry } from './judge';

const count = z.int().check(z.nonnegative());
const countsSchema = z.object({
  missing: count,
  stuck: count,
  drifted: count,
  left: count,
  unchecked: count,
  unreadable: count,
  /** Of the drifted and the left: changes that certainly reached us by no webhook. */
  lost: count,
  /** Rounds that could not be started. The next pass finds their orders again. */
  not_started: count,
  in_flight: count,
  failed: count,
  oldest_in_flight_ms: count,
});
export type Counts = z.output<typeof countsSchema>;

export const noCounts: Counts = {
  missing: 0,
  stuck: 0,
  drifted: 0,
  left: 0,
  unchecked: 0,
  unreadable: 0,
  lost: 0,
  not_started: 0,
  in_flight: 0,
  failed: 0,
  oldest_in_flight_ms: 0,
};

const headerSchema = z.object({
  format: z.literal(1),
  id: z.string(),
  started_at_ms: z.number(),
  saved_at_ms: z.number(),
  /** Whether a message to continue the pass was to follow. */
  continues: z.boolean(),
  walk: z.object({
    position: count,
    stepsBack: count,
    longestPage: count,
    firstId: z.nullable(z.string()),
    pagesWithNews: count,
    pagesWithoutNews: count,
    withStatus: z.boolean(),
  }),
  /** Absent until the walk has ended. */
  walked_at_ms: z.optional(z.number()),
  /** When the newest scan of the table that reached its end began. Absent if there was none. */
  scanned_at_ms: z.optional(z.number()),
  /** The scan in progress: when it began, and the order where its newest page ended. */
  scan: z.optional(z.object({ began_at_ms: z.number(), after: z.string() })),
  /** The list repeated itself: an order that was not seen may be open. */
  is_endless: z.boolean(),
  /** Orders that were judged. */
  judged: count,
  counts: countsSchema,
  /** Of the last pass: its version in S3, and when it began if it can be read. Absent if there was none. */
  base: z.optional(z.object({ etag: z.string(), started_at_ms: z.optional(z.number()) })),
});
export type PassHeader = z.output<typeof headerSchema>;

/** A pass: its position and its orders. */
export interface Pass {
  header: PassHeader;
  /** Open orders, in the order of the list. Entries that cannot be an order of ours have a key of their own. */
  readonly open: Map<string, Entry>;
  /**
   * Orders that are not listed and not forgotten: they left the open set, in this pass or in an earlier one, or a scan of
   * the table found them.
   */
  readonly closed: Map<string, Entry>;
}

/** An object in S3 with its version. `pass` is missing if the object cannot be read. */
export interface StoredPass {
  readonly etag: string;
  readonly pass: Pass | undefined;
}

/** A pass is one object: the one in progress, and the last one that reached its end. */
export const passKeys = { current: 'reconciler/pass.tsv.gz', last: 'reconciler/last-pass.tsv.gz' } as const;
export type PassName = keyof typeof passKeys;

/** A million orders with long ids are some 200 MB. */
const maxTextBytes = 512 * 1024 * 1024;

const lineOf = (key: string, { fingerprint, previous, leftAtMs, startedAtMs, settledAtMs }: Entry): string =>
  [key, fingerprint, previous, leftAtMs, startedAtMs, settledAtMs].join('\t').trimEnd();

/** One JSON line for the header, then a line for each order with the fields of {@link Entry}, separated by tabs. */
export const encodePass = ({ header, open, closed }: Pass): Buffer => {
  const lines = [JSON.stringify(header)];
  for (const entries of [open, closed]) for (const [key, entry] of entries) lines.push(lineOf(key, entry));
  return gzipSync(lines.join('\n'), { level: 1 });
};

/** @returns undefined for anything but an encoded pass */
export const decodePass = (bytes: Uint8Array): Pass | undefined => {
  let text: string;
  try {
    text = gunzipSync(bytes, { maxOutputLength: maxTextBytes }).toString();
  } catch {
    return undefined;
  }
  const endOfHeader = text.indexOf('\n');
  const header = headerSchema.safeParse(parseJson(endOfHeader < 0 ? text : text.slice(0, endOfHeader)));
  if (!header.success) return undefined;
  const pass: Pass = { header: header.data, open: new Map(), closed: new Map() };
  for (let start = endOfHeader + 1; endOfHeader >= 0 && start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const [key = '', fingerprint, previous, leftAt, startedAt, settledAt] = text.slice(start, end).split('\t');
    const leftAtMs = leftAt ? Number(leftAt) : undefined;
    const entry: Entry = {
      orderId: key as OrderId,
      fingerprint: fingerprint || undefined,
      previous: previous || undefined,
      leftAtMs,
      startedAtMs: startedAt ? Number(startedAt) : undefined,
      settledAtMs: settledAt ? Number(settledAt) : undefined,
    };
    (leftAtMs === undefined ? pass.open : pass.closed).set(key, entry);
    start = end + 1;
  }
  return pass;
};

/** Another process has written the object since it was read. */
const isConflict = (error: unknown): boolean =>
  error instanceof S3ServiceException && [404, 409, 412].includes(error.$metadata.httpStatusCode ?? 0);

/** The passes in S3. Every write is conditional on what was read: of two processes, one writes and the other one stops. */
export const createPassStore = (client: S3Client, bucketName: string) => ({
  /** @returns undefined if there is no such object */
  load: async (name: PassName): Promise<StoredPass | undefined> => {
    try {
      const { Body, ETag = '' } = await client.send(new GetObjectCommand({ Bucket: bucketName, Key: passKeys[name] }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      return { etag: ETag, pass: decodePass(bytes) };
    } catch (error) {
      // Without permission to list, S3 answers 403 for a key that does not exist. A missing permission shows in `save`.
      if (error instanceof S3ServiceException && [403, 404].includes(error.$metadata.httpStatusCode ?? 0)) {
        return undefined;
      }
      throw error;
    }
  },

  /**
   * @param etag of the object that was read; undefined if there was none
   * @returns the new version; undefined if another process wrote the object first
   */
  save: async (name: PassName, pass: Pass, etag: string | undefined): Promise<string | undefined> => {
    try {
      const { ETag = '' } = await client.send(
        new PutObjectCommand({
          Bucket: bucketName,
          Key: passKeys[name],
          Body: encodePass(pass),
          ContentType: 'application/gzip',
          ...(etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag }),
        }),
      );
      return ETag;
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  },
});

export type PassStore = ReturnType<typeof createPassStore>;
