import { PipelineError } from '../../../../shared/errors';
import { withCredential } from '../../../../shared/http/credential';
import { unconfigured } from '../../../support/unconfigured';

const refusal = (statusCode: number) => new PipelineError('API_REFUSED', 'No', { retryable: false, statusCode });

const secretOf = (first: string, second?: string) => ({
  get: async () => ({ token: first }),
  refresh: second === undefined ? unconfigured('refresh') : jest.fn(async () => ({ token: second })),
});

test('uses the credential at hand', async () => {
  await expect(withCredential(secretOf('a'), async ({ token }) => token)).resolves.toBe('a');
});

test('tries again with a credential that has been rotated', async () => {
  const use = jest.fn(async ({ token }: { token: string }) => {
    if (token === 'a') throw refusal(401);
    return token;
  });
  await expect(withCredential(secretOf('a', 'b'), use)).resolves.toBe('b');
  expect(use).toHaveBeenCalledTimes(2);
});

test('lets a refusal stand when the credential is still the same', async () => {
  const use = jest.fn(async () => {
    throw refusal(401);
  });
  await expect(withCredential(secretOf('a', 'a'), use)).rejects.toMatchObject({ statusCode: 401 });
  expect(use).toHaveBeenCalledTimes(1);
});

test('tries only once more', async () => {
  const use = jest.fn(async () => {
    throw refusal(401);
  });
  await expect(withCredential(secretOf('a', 'b'), use)).rejects.toMatchObject({ statusCode: 401 });
  expect(use).toHaveBeenCalledTimes(2);
});

test.each([[refusal(403)], [refusal(500)], [new Error('a bug')]])('fetches nothing again for %p', async (error) => {
  const use = async () => {
    throw error;
  };
  await expect(withCredential(secretOf('a'), use)).rejects.toBe(error);
});
