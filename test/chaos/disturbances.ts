import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedAws } from '../../emulator/embedded-aws';
import type { Fault } from '../../local/simulators/faults';
import { createRandom } from '../../samples/random';

/** Disturbances of a storm. In addition, calls to the APIs fail at random all the time. */
const disturbances = [
  'kill webhook',
  'kill download',
  'kill processing',
  'Qualia slow',
  'internal API closed',
] as const;
export type Disturbance = (typeof disturbances)[number];

/** How often each disturbance occurred. */
export type DisturbanceCounts = Readonly<Record<Disturbance, number>>;

interface Options {
  readonly aws: Pick<EmbeddedAws, 'kill' | 'functions'>;
  /** The control APIs of both simulators. */
  readonly qualiaUrl: string;
  readonly internalApiUrl: string;
  readonly seed: number;
  /**
   * Number of steps so far: responses to webhooks, and posted orders. Disturbances are spaced by steps, so that a slow
   * machine has no more of them than a fast one.
   */
  readonly countSteps: () => Promise<number>;
  /** Maximum number of steps between two disturbances. */
  readonly maxSteps: number;
}

const failingShare = 0.1;
const slowMs = 5_000;
/** Duration of a slow or closed API. */
const durationMs = { min: 1_000, max: 4_000 };
const minSteps = 40;
/** The next disturbance occurs after this time even if there are too few steps. */
const maxWaitMs = 5_000;
const pollIntervalMs = 100;

/** One call in ten fails, in one of these ways. */
const randomFaults = (seed: number, faults: readonly Fault[]): Fault[] =>
  faults.map((fault, index) => ({
    ...fault,
    seed: seed + index,
    // A fault is tried only if the faults before it did not match. This makes all of them equally frequent.
    probability: failingShare / faults.length / (1 - (failingShare * index) / faults.length),
  }));

const commonFaults: readonly Fault[] = [
  { kind: 'server_error' },
  { kind: 'rate_limited', retry_after: 1 },
  { kind: 'hang_up' },
  { kind: 'lost_answer' },
];

const put = async (url: string, body: unknown): Promise<void> => {
  const response = await fetch(url, { method: 'PUT', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} responded with ${response.status}: ${await response.text()}`);
};

/**
 * Disturbs the pipeline until it is stopped. The seed decides the sequence, the spacing and the durations. Each
 * disturbance occurs once before any occurs again.
 */
export const startDisturbances = async (options: Options) => {
  const { aws, qualiaUrl, internalApiUrl, seed, countSteps, maxSteps } = options;
  const random = createRandom(seed);
  const stopping = new AbortController();
  const counts: Record<Disturbance, number> = {
    'kill webhook': 0,
    'kill download': 0,
    'kill processing': 0,
    'Qualia slow': 0,
    'internal API closed': 0,
  };
  const faults = {
    qualia: randomFaults(seed, [...commonFaults, { kind: 'graphql_error' }]),
    internalApi: randomFaults(seed + 100, commonFaults),
  };
  const wait = (ms: number) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  const waitForSteps = async (): Promise<void> => {
    const goal = (await countSteps()) + random.integer(minSteps, maxSteps);
    const endMs = Date.now() + maxWaitMs;
    while (!stopping.signal.aborted && Date.now() < endMs && (await countSteps()) < goal) await wait(pollIntervalMs);
  };
  const kill = async (name: string): Promise<void> => {
    const functionName = aws.functions.find((one) => one.endsWith(`-${name}`));
    if (functionName === undefined) throw new Error(`There is no Lambda ${name}`);
    await aws.kill(functionName);
  };

  const actions: Readonly<Record<Disturbance, () => Promise<void>>> = {
    'kill webhook': () => kill('webhook'),
    'kill download': () => kill('download'),
    'kill processing': () => kill('processing'),
    'Qualia slow': async () => {
      await put(`${qualiaUrl}/latency`, { latency_ms: slowMs });
      await wait(random.integer(durationMs.min, durationMs.max));
      await put(`${qualiaUrl}/latency`, { latency_ms: 0 });
    },
    'internal API closed': async () => {
      await put(`${internalApiUrl}/faults`, [{ kind: 'hang_up' }]);
      await wait(random.integer(durationMs.min, durationMs.max));
      await put(`${internalApiUrl}/faults`, faults.internalApi);
    },
  };

  const disturb = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      for (const disturbance of random.shuffle(disturbances)) {
        await waitForSteps();
        if (stopping.signal.aborted) return;
        counts[disturbance] += 1;
        await actions[disturbance]();
      }
    }
  };

  await put(`${qualiaUrl}/faults`, faults.qualia);
  await put(`${internalApiUrl}/faults`, faults.internalApi);
  const disturbing = disturb();
  return {
    /** Whether each disturbance occurred at least once. */
    allOccurred: () => disturbances.every((disturbance) => counts[disturbance] > 0),
    /** Ends all disturbances and random faults. @returns how often each disturbance occurred */
    stop: async (): Promise<DisturbanceCounts> => {
      stopping.abort();
      await disturbing;
      // An open circuit stays open for 30 s. A new process starts with a closed one.
      for (const name of ['download', 'processing']) await kill(name);
      await put(`${qualiaUrl}/faults`, []);
      await put(`${internalApiUrl}/faults`, []);
      return counts;
    },
  };
};
