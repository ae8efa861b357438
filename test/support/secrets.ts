import type { Secret } from '../../shared/aws/secret';

/** A secret with `value`, whose refresh returns `rotated`. */
export const secretOf = <T>(value: T, rotated: T = value): Secret<T> => ({
  get: async () => value,
  refresh: async () => rotated,
});

/** A secret that cannot be read. */
export const unreadableSecret = <T>(error: Error): Secret<T> => ({
  get: async () => {
    throw error;
  },
  refresh: async () => {
    throw error;
  },
});
