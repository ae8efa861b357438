import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { PersistenceManager, S3Object, S3Store } from './fauxqs';

const columns = `key, content_type, content_length, etag, last_modified, metadata, content_language, content_disposition,
  cache_control, content_encoding, parts, checksum_algorithm, checksum_value, checksum_type, part_checksums`;

/** The body of every description: fauxqs reads the real one from the database when a request needs it. */
const noBody = Buffer.alloc(0);

const json = z.string().transform((text): unknown => JSON.parse(text));
const text = z.string().nullable();
const rowSchema = z.object({
  key: z.string(),
  content_type: z.string(),
  content_length: z.number(),
  etag: z.string(),
  last_modified: z.string(),
  metadata: json.pipe(z.record(z.string(), z.string())),
  content_language: text,
  content_disposition: text,
  cache_control: text,
  content_encoding: text,
  parts: json.pipe(z.array(z.object({ partNumber: z.number(), offset: z.number(), length: z.number() }))).nullable(),
  checksum_algorithm: z.enum(['CRC32', 'SHA1', 'SHA256']).nullable(),
  checksum_value: text,
  checksum_type: z.enum(['FULL_OBJECT', 'COMPOSITE']).nullable(),
  part_checksums: json.pipe(z.array(z.string())).nullable(),
});

/** The objects of every bucket, as they are in the database. */
export interface StoredObjects {
  /** The object's ETag; undefined if there is no such object. */
  etagOf(bucket: string, key: string): string | undefined;
}

const etagSchema = z.object({ etag: z.string() }).optional();

/**
 * Reads the objects of every bucket from `database`, where `persistence` writes them. By itself, fauxqs keeps a
 * description of each object in memory (about 1 kB for each order) and lists keys in another order than S3.
 */
export const keepObjectsOnDisk = (
  store: S3Store,
  persistence: PersistenceManager,
  database: DatabaseSync,
): StoredObjects => {
  const buckets: unknown = Reflect.get(store, 'buckets');
  if (!(buckets instanceof Map)) {
    throw new Error('fauxqs no longer keeps its buckets in a map');
  }
  // Without this, every start reads all descriptions and drops them.
  Reflect.set(persistence, 'loadS3Objects', () => undefined);
  const { objectsOf, objectsFrom } = readObjects(database);
  const createBucket = store.createBucket.bind(store);
  store.createBucket = (name, type) => {
    const isNew = !buckets.has(name);
    createBucket(name, type);
    if (isNew) {
      buckets.set(name, objectsOf(name));
    }
  };
  const listObjects = store.listObjects.bind(store);
  store.listObjects = (bucket, options = {}) =>
    buckets.has(bucket)
      ? listPage((from, after) => objectsFrom(bucket, from, after), options)
      : listObjects(bucket, options);
  const findEtag = database.prepare('SELECT etag FROM s3_objects WHERE bucket = ? AND key = ?');
  return { etagOf: (bucket, key) => etagSchema.parse(findEtag.get(bucket, key))?.etag };
};

/** What fauxqs uses of a bucket's map of objects. Any other method of a map is missing, so that its use fails. */
type ObjectsOfBucket = Pick<Map<string, S3Object>, 'size' | 'get' | 'has' | 'delete' | 'clear'> & {
  set(key: string, object: S3Object): unknown;
};

const readObjects = (database: DatabaseSync) => {
  const find = database.prepare(`SELECT ${columns} FROM s3_objects WHERE bucket = ? AND key = ?`);
  const exists = database.prepare('SELECT 1 FROM s3_objects WHERE bucket = ? AND key = ?');
  const count = database.prepare('SELECT count(*) AS count FROM s3_objects WHERE bucket = ?');
  // One lower bound: with two, SQLite would seek to the first and step through every key up to the second.
  const selectFrom = `SELECT ${columns} FROM s3_objects WHERE bucket = ? AND key >= max(?, ?) AND key <> ? ORDER BY key`;

  return {
    /** The objects of one bucket. fauxqs calls its persistence next to every change, so changes need no code here. */
    objectsOf: (bucket: string): ObjectsOfBucket => {
      const has = (key: string) => exists.get(bucket, key) !== undefined;
      return {
        get size() {
          return Number(count.get(bucket)?.count);
        },
        get: (key) => {
          const row = find.get(bucket, key);
          return row && toObject(row);
        },
        has,
        set: () => undefined,
        delete: has,
        clear: () => undefined,
      };
    },

    /** The objects whose keys are at least `from` and greater than `after`, in S3's order: by the bytes of UTF-8. */
    *objectsFrom(bucket: string, from: string, after: string): Generator<S3Object> {
      for (const row of database.prepare(selectFrom).iterate(bucket, from, after, after)) {
        yield toObject(row);
      }
    },
  };
};

type ListOptions = NonNullable<Parameters<S3Store['listObjects']>[1]>;

/** One page of a listing. Keys with the same text up to the delimiter count as one common prefix. */
const listPage = (
  objectsFrom: (from: string, after: string) => Iterable<S3Object>,
  options: ListOptions,
): ReturnType<S3Store['listObjects']> => {
  const { prefix = '', delimiter, maxKeys = 1000, startAfter = options.marker ?? '' } = options;
  const found: S3Object[] = [];
  const commonPrefixes = new Set<string>();
  let prefixesBeforeLastObject = 0;
  for (const object of objectsFrom(prefix, startAfter)) {
    if (!object.key.startsWith(prefix)) {
      break;
    }
    const end = delimiter ? object.key.indexOf(delimiter, prefix.length) : -1;
    const commonPrefix = end < 0 ? undefined : object.key.slice(0, end + (delimiter?.length ?? 0));
    // A page that starts inside a common prefix follows a page that contains it.
    if (commonPrefix !== undefined && (commonPrefixes.has(commonPrefix) || startAfter.startsWith(commonPrefix))) {
      continue;
    }
    if (found.length + commonPrefixes.size >= maxKeys) {
      // If there are objects, fauxqs starts the next page after the last of them. It then contains the other prefixes.
      const kept = found.length > 0 ? prefixesBeforeLastObject : commonPrefixes.size;
      return { objects: found, commonPrefixes: [...commonPrefixes].slice(0, kept), isTruncated: true };
    }
    if (commonPrefix === undefined) {
      found.push(object);
      prefixesBeforeLastObject = commonPrefixes.size;
    } else {
      commonPrefixes.add(commonPrefix);
    }
  }
  return { objects: found, commonPrefixes: [...commonPrefixes], isTruncated: false };
};

const toObject = (row: unknown): S3Object => {
  const { key, content_type, content_length, etag, last_modified, metadata, ...optional } = rowSchema.parse(row);
  return {
    key,
    body: noBody,
    contentType: content_type,
    contentLength: content_length,
    etag,
    lastModified: new Date(last_modified),
    metadata,
    ...(optional.content_language !== null && { contentLanguage: optional.content_language }),
    ...(optional.content_disposition !== null && { contentDisposition: optional.content_disposition }),
    ...(optional.cache_control !== null && { cacheControl: optional.cache_control }),
    ...(optional.content_encoding !== null && { contentEncoding: optional.content_encoding }),
    ...(optional.parts !== null && { parts: optional.parts }),
    ...(optional.checksum_algorithm !== null && { checksumAlgorithm: optional.checksum_algorithm }),
    ...(optional.checksum_value !== null && { checksumValue: optional.checksum_value }),
    ...(optional.checksum_type !== null && { checksumType: optional.checksum_type }),
    ...(optional.part_checksums !== null && { partChecksums: optional.part_checksums }),
  };
};
