import { PipelineError } from '../../../../shared/errors';
import { withCredential } from '../../../../shared/http/credential';
import { unconfigured } from '../../../support/unconfigured';

const refusal = (statusCode: number) => new PipelineError('API_REFUSED', 'No', { retryable: false, statusCode });

const secretOf = (first: string, second?: string) => ({
  get: async () => ({ token: first }),
  refresh: second === undefined ? unconfigured('refresh') : jest.fn(async () => ({ token: second })),
});

test('uses the cached credential', async () => {
  await expect(withCredential(secretOf('a'), async ({ token }) => token)).resolves.toBe('a');
});

test('repeats the call with a rotated credential', async () => {
  const use = jest.fn(async ({ token }: { token: string }) => {
    if (token === 'a') throw refusal(401);
    return token;
  });
  await expect(withCredential(secretOf('a', 'b'), use)).resolves.toBe('b');
  expect(use).toHaveBeenCalledTimes(2);
});

test('passes on a refusal if the credential has not changed', async () => {
  const use = jest.fn(async () => {
    throw refusal(401);
  });
  await expect(withCredential(secretOf('a', 'a'), use)).rejects.toMatchObject({ statusCode: 401 });
  expect(use).toHaveBeenCalledTimes(1);
});

test('repeats the call only once', async () => {
  const use = jest.fn(async () => {
    throw refusal(401);
  });
  await expect(withCredential(secretOf('a', 'b'), use)).rejects.toMatchObject({ statusCode: 401 });
  expect(use).toHaveBeenCalledTimes(2);
});

test.each([[refusal(403)], [refusal(500)], [new Error('a bug')]])(
  'does not fetch the credential again for %p',
  async (error) => {
    const use = async () => {
      throw error;
    };
    await expect(withCredential(secretOf('a'), use)).rejects.toBe(error);
  },
);
