import type { Secret } from '../../shared/aws/secret';

/** A secret that is `value`, and `rotated` once it is fetched again. */
export const secretOf = <T>(value: T, rotated: T = value): Secret<T> => ({
  get: async () => value,
  refresh: async () => rotated,
});

/** A secret that cannot be had. */
export const unreadableSecret = <T>(error: Error): Secret<T> => ({
  get: async () => {
    throw error;
  },
  refresh: async () => {
    throw error;
  },
});
