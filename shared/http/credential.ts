import { isDeepStrictEqual } from 'node:util';
import type { Secret } from '../aws/secret';
import { PipelineError } from '../errors';

/**
 * Makes a call with a credential. After a 401, fetches the credential again, and repeats the call if it has changed.
 */
export const withCredential = async <C, T>(secret: Secret<C>, use: (credential: C) => Promise<T>): Promise<T> => {
  const credential = await secret.get();
  try {
    return await use(credential);
  } catch (error) {
    if (!(error instanceof PipelineError) || error.statusCode !== 401) throw error;
    const fresh = await secret.refresh();
    if (isDeepStrictEqual(fresh, credential)) throw error;
    return use(fresh);
  }
};
