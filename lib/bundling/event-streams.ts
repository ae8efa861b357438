/**
 * Stands in for `@smithy/core/event-streams` in a bundle: no call of ours streams events, and the SDK loads them by a
 * dynamic `import()`, for whose sake a bundler wraps every module below it in a function and can leave none of them out
 * (50 kB). Importing any other name fails the bundle.
 */

function refuse(): never {
  throw new Error('This bundle leaves out the event streams of AWS.');
}

/** Where a client would be given what reads and writes its event streams. */
export const resolveEventStreamSerdeConfig = <Config>(config: Config): Config => config;

/** @throws Error always: a command with an event stream was sent */
export const eventStreamSerdeProvider = refuse;

/** @throws Error always: a command with an event stream was sent */
export const EventStreamSerde = refuse;
