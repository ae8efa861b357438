import { PipelineError } from '../../../../shared/errors';
import { createCircuitBreaker } from '../../../../shared/http/circuit-breaker';
import { freezeClock } from '../../../support/clock';

const failing = (retryable: boolean) => async (): Promise<never> => {
  throw new PipelineError(retryable ? 'API_UNAVAILABLE' : 'API_REFUSED', 'No', { retryable });
};
const rateLimited = (retryAfterMs: number) => async (): Promise<never> => {
  throw new PipelineError('RATE_LIMITED', 'Not now', { retryable: true, retryAfterMs });
};
const working = async () => 'response';

const start = () => {
  const clock = freezeClock();
  const opened: string[] = [];
  const breaker = createCircuitBreaker({
    api: 'qualia',
    failures: 5,
    openMs: 30_000,
    maxWaitMs: 8_000,
    now: clock.now,
    onOpen: (api) => opened.push(api),
  });
  const codeOf = (run: () => Promise<unknown>): Promise<string> =>
    breaker(run).then(
      () => 'done',
      (error: PipelineError) => error.code,
    );
  const fail = async (times: number, retryable = true) => {
    for (let n = 0; n < times; n++) await codeOf(failing(retryable));
  };
  return { breaker, clock, opened, codeOf, fail };
};

afterEach(() => jest.useRealTimers());

test('passes on the result and the error of a call', async () => {
  const { breaker, codeOf } = start();
  await expect(breaker(working)).resolves.toBe('response');
  expect(await codeOf(failing(true))).toBe('API_UNAVAILABLE');
  expect(await codeOf(failing(false))).toBe('API_REFUSED');
  await expect(
    breaker(async () => {
      throw new TypeError('a bug');
    }),
  ).rejects.toMatchObject({ code: 'INTERNAL_FAULT' });
});

test('opens after the fifth consecutive retryable failure, and reports it once', async () => {
  const { codeOf, fail, opened } = start();
  await fail(4);
  expect(opened).toEqual([]);
  await fail(1);
  expect(opened).toEqual(['qualia']);
  const run = jest.fn(working);
  expect(await codeOf(run)).toBe('CIRCUIT_OPEN');
  expect(run).not.toHaveBeenCalled();
  expect(opened).toEqual(['qualia']);
});

test.each([
  ['a success', working],
  ['a permanent refusal, which is a response too', failing(false)],
])('the count is reset by %s', async (_, run) => {
  const { codeOf, fail, opened } = start();
  await fail(4);
  await codeOf(run);
  await fail(4);
  expect(opened).toEqual([]);
});

test('permanent refusals never open it', async () => {
  const { fail, opened } = start();
  await fail(20, false);
  expect(opened).toEqual([]);
});

test('while open, it rejects with the time until the next call', async () => {
  const { breaker, clock, fail } = start();
  await fail(5);
  await expect(breaker(working)).rejects.toMatchObject({
    code: 'CIRCUIT_OPEN',
    api: 'qualia',
    retryable: true,
    retryAfterMs: 30_000,
  });
  clock.advance(29_999);
  await expect(breaker(working)).rejects.toMatchObject({ retryAfterMs: 1 });
});

test('after 30 s one call probes and others are rejected; its success closes the circuit', async () => {
  const { breaker, clock, codeOf, fail } = start();
  await fail(5);
  clock.advance(30_000);
  let resolveProbe: (value: string) => void = () => {};
  const probe = breaker(() => new Promise<string>((resolve) => (resolveProbe = resolve)));
  const other = jest.fn(working);
  expect(await codeOf(other)).toBe('CIRCUIT_OPEN');
  expect(other).not.toHaveBeenCalled();
  resolveProbe('probed');
  await expect(probe).resolves.toBe('probed');
  expect(await codeOf(other)).toBe('done');
});

test('a probe that fails opens it for another 30 s', async () => {
  const { clock, codeOf, fail, opened, breaker } = start();
  await fail(5);
  clock.advance(30_000);
  expect(await codeOf(failing(true))).toBe('API_UNAVAILABLE');
  expect(opened).toEqual(['qualia', 'qualia']);
  await expect(breaker(working)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 30_000 });
  clock.advance(29_999);
  expect(await codeOf(working)).toBe('CIRCUIT_OPEN');
  clock.advance(1);
  expect(await codeOf(working)).toBe('done');
});

test('a probe with a permanent refusal closes it: the API works', async () => {
  const { clock, codeOf, fail } = start();
  await fail(5);
  clock.advance(30_000);
  expect(await codeOf(failing(false))).toBe('API_REFUSED');
  expect(await codeOf(working)).toBe('done');
});

describe('a response with Retry-After', () => {
  test('is reported again every 30 s while calls arrive, so that the alarm stays on', async () => {
    const { clock, codeOf, opened } = start();
    await Promise.all(Array.from({ length: 5 }, () => codeOf(rateLimited(600_000))));
    expect(opened).toHaveLength(1);
    clock.advance(29_999);
    await codeOf(working);
    expect(opened).toHaveLength(1);
    clock.advance(1);
    await codeOf(working);
    await codeOf(working);
    expect(opened).toHaveLength(2);
  });

  test('longer than the maximum wait opens it immediately, for exactly that time', async () => {
    const { breaker, clock, codeOf, opened } = start();
    expect(await codeOf(rateLimited(600_000))).toBe('RATE_LIMITED');
    expect(opened).toEqual(['qualia']);
    clock.advance(599_999);
    await expect(breaker(working)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryable: true, retryAfterMs: 1 });
    clock.advance(1);
    await expect(breaker(working)).resolves.toBe('response');
  });

  test('of up to the maximum wait leaves it closed', async () => {
    const { codeOf, opened } = start();
    await codeOf(rateLimited(8_000));
    expect(await codeOf(working)).toBe('done');
    expect(opened).toEqual([]);
  });

  test('the longest of several applies, and it opens once', async () => {
    const { breaker, clock, opened } = start();
    await Promise.allSettled([20_000, 60_000, 40_000].map((ms) => breaker(rateLimited(ms))));
    expect(opened).toEqual(['qualia']);
    clock.advance(59_999);
    await expect(breaker(working)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1 });
  });

  test('keeps it open for longer than failures do', async () => {
    const { breaker, clock, fail, codeOf } = start();
    await fail(4);
    await codeOf(rateLimited(120_000));
    clock.advance(30_000);
    await expect(breaker(working)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 90_000 });
    clock.advance(90_000);
    await expect(breaker(working)).resolves.toBe('response');
  });

  test('longer than half a day keeps it open for half a day', async () => {
    const { breaker, clock, codeOf } = start();
    await codeOf(rateLimited(999_999_999_000));
    clock.advance(12 * 3_600_000 - 1);
    await expect(breaker(working)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1 });
    clock.advance(1);
    await expect(breaker(working)).resolves.toBe('response');
  });
});

describe('the function that runs before a call', () => {
  const doNothing = async () => undefined;
  const throwing = async () => {
    throw new TypeError('superseded');
  };

  test('is not called while the circuit is open or a probe runs', async () => {
    const { breaker, clock, fail } = start();
    const before = jest.fn(doNothing);
    await fail(5);
    await expect(breaker(working, before)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    clock.advance(30_000);
    const probe = breaker(() => new Promise<string>((resolve) => setImmediate(resolve, 'response')));
    await expect(breaker(working, before)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(before).not.toHaveBeenCalled();
    await probe;
    await breaker(working, before);
    expect(before).toHaveBeenCalledTimes(1);
  });

  test('does not use up the probe if it fails: the next call probes', async () => {
    const { breaker, clock, codeOf, fail } = start();
    await fail(5);
    clock.advance(30_000);
    await expect(breaker(working, throwing)).rejects.toThrow('superseded');
    expect(await codeOf(failing(true))).toBe('API_UNAVAILABLE');
    expect(await codeOf(working)).toBe('CIRCUIT_OPEN');
  });

  test('does not reset the count of consecutive failures if it fails', async () => {
    const { breaker, codeOf, fail } = start();
    await fail(4);
    await expect(breaker(working, throwing)).rejects.toThrow('superseded');
    await fail(1);
    expect(await codeOf(working)).toBe('CIRCUIT_OPEN');
  });

  test('is followed by no call if the circuit opens while it runs', async () => {
    const { breaker, fail } = start();
    const run = jest.fn(working);
    await expect(breaker(run, () => fail(5))).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(run).not.toHaveBeenCalled();
  });
});
