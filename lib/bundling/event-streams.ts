/**
 * Replaces `@smithy/core/event-streams` in bundles: none of our calls streams events. The SDK loads them with a dynamic
 * `import()`, for which a bundler wraps every imported module in a function and cannot remove unused ones (50 kB). An import
 * of any other name fails the bundling.
 */

const refuse = (): never => {
  throw new Error('This bundle does not contain the event streams of AWS.');
};

/** Would configure how a client reads and writes event streams. */
export const resolveEventStreamSerdeConfig = <Config>(config: Config): Config => config;

/** @throws Error always: a command with an event stream was sent */
export const eventStreamSerdeProvider = refuse;

/** @throws Error always: a command with an event stream was sent */
export const EventStreamSerde = refuse;
