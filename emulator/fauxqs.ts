// The package exports its servers only whole: listening on every interface of the machine, its stores out of reach.
// Its parts, from inside the one version that package.json pins, can be told to stay on the loopback, can be mended
// where they lose something, and let the event source mappings take messages without a network in between.
import { buildApp } from '../node_modules/fauxqs/dist/app.js';

export { PersistenceManager } from '../node_modules/fauxqs/dist/persistence.js';
export { computeChecksum, extractChecksumFromHeaders } from '../node_modules/fauxqs/dist/s3/checksum.js';
export { decodeAwsChunked } from '../node_modules/fauxqs/dist/s3/chunkedEncoding.js';
export { S3Store } from '../node_modules/fauxqs/dist/s3/s3Store.js';
export type { S3Object } from '../node_modules/fauxqs/dist/s3/s3Types.js';
export { SnsStore } from '../node_modules/fauxqs/dist/sns/snsStore.js';
export { receiveMessage } from '../node_modules/fauxqs/dist/sqs/actions/receiveMessage.js';
export { type SqsQueue, SqsStore } from '../node_modules/fauxqs/dist/sqs/sqsStore.js';
export { buildApp };

/** The Fastify application that speaks SQS and S3. */
export type FauxqsApp = ReturnType<typeof buildApp>;
type RouteHandler = Parameters<FauxqsApp['route']>[0]['handler'];

/** What runs before fauxqs handles a request; the request is done if it returns the reply that it sent. */
export type PreHandler = (...args: Parameters<RouteHandler>) => Promise<Parameters<RouteHandler>[1] | undefined>;

/** What changes an answer of fauxqs before it is sent. */
export type PreSerializer = (
  request: Parameters<RouteHandler>[0],
  reply: Parameters<RouteHandler>[1],
  payload: unknown,
) => Promise<unknown>;
