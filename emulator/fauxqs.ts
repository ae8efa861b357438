// The package exports only complete servers, which listen on every network interface and hide their stores. This file
// imports its internal modules instead, from the version that package.json pins. They can be limited to the loopback
// interface and corrected where they lose data, and event source mappings can receive messages without a network.
import { buildApp } from '../node_modules/fauxqs/dist/app.js';

export { PersistenceManager } from '../node_modules/fauxqs/dist/persistence.js';
export { computeChecksum, extractChecksumFromHeaders } from '../node_modules/fauxqs/dist/s3/checksum.js';
export { decodeAwsChunked } from '../node_modules/fauxqs/dist/s3/chunkedEncoding.js';
export { S3Store } from '../node_modules/fauxqs/dist/s3/s3Store.js';
export type { S3Object } from '../node_modules/fauxqs/dist/s3/s3Types.js';
export { publish } from '../node_modules/fauxqs/dist/sns/actions/publish.js';
export { SnsStore } from '../node_modules/fauxqs/dist/sns/snsStore.js';
export { receiveMessage } from '../node_modules/fauxqs/dist/sqs/actions/receiveMessage.js';
export { type SqsQueue, SqsStore } from '../node_modules/fauxqs/dist/sqs/sqsStore.js';
export { buildApp };

/** The Fastify application that serves SQS and S3. */
export type FauxqsApp = ReturnType<typeof buildApp>;
type RouteHandler = Parameters<FauxqsApp['route']>[0]['handler'];

/** Runs before fauxqs handles a request. If it returns a reply, fauxqs does not handle the request. */
export type PreHandler = (...args: Parameters<RouteHandler>) => Promise<Parameters<RouteHandler>[1] | undefined>;

/** Changes a response of fauxqs before it is sent. */
export type PreSerializer = (
  request: Parameters<RouteHandler>[0],
  reply: Parameters<RouteHandler>[1],
  payload: unknown,
) => Promise<unknown>;
