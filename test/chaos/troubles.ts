import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedAws } from '../../emulator/embedded-aws';
import type { Fault } from '../../local/simulators/faults';
import { createRandom } from '../../local/simulators/random';

/** What strikes in a storm, beside calls that fail at random all the while. */
const troubles = ['kill webhook', 'kill download', 'kill processing', 'Qualia slow', 'internal API closed'] as const;
export type Trouble = (typeof troubles)[number];

/** How often each of them struck. */
export type Struck = Readonly<Record<Trouble, number>>;

export interface TroubleMaker {
  /** Each trouble has struck at least once. */
  readonly hadAll: () => boolean;
  /** Takes every trouble back. @returns what struck */
  calm(): Promise<Struck>;
}

interface Surroundings {
  readonly aws: Pick<EmbeddedAws, 'kill' | 'functions'>;
  /** The control APIs of both simulators. */
  readonly qualiaUrl: string;
  readonly internalApiUrl: string;
  readonly seed: number;
  /** How much is done so far: trouble comes by that, and so no more often on a slow machine than on a fast one. */
  readonly done: () => Promise<number>;
  /** The most that gets done between two troubles. */
  readonly longestPeace: number;
}

const failingShare = 0.1;
const slowMs = 5_000;
/** How long a slow or closed API stays so. */
const lastsMs = { least: 1_000, most: 4_000 };
const shortestPeace = 40;
/** Trouble comes even if nothing gets done for so long. */
const patienceMs = 5_000;
const lookEveryMs = 100;

/** One call in ten fails, in one of these ways. */
const atRandom = (seed: number, faults: readonly Fault[]): Fault[] =>
  faults.map((fault, index) => ({
    ...fault,
    seed: seed + index,
    // Whom the faults before it spared meets this one: all together hit the share.
    probability: failingShare / faults.length / (1 - (failingShare * index) / faults.length),
  }));

const ofBoth: readonly Fault[] = [
  { kind: 'server_error' },
  { kind: 'rate_limited', retry_after: 1 },
  { kind: 'hang_up' },
  { kind: 'lost_answer' },
];

const put = async (url: string, body: unknown): Promise<void> => {
  const answer = await fetch(url, { method: 'PUT', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
};

/**
 * Makes trouble until it is stopped. The seed decides the order, times and durations; each kind occurs once before
 * any strikes again.
 */
export const startTroubles = async (surroundings: Surroundings): Promise<TroubleMaker> => {
  const { aws, qualiaUrl, internalApiUrl, seed, done, longestPeace } = surroundings;
  const random = createRandom(seed);
  const stopping = new AbortController();
  const struck: Record<Trouble, number> = {
    'kill webhook': 0,
    'kill download': 0,
    'kill processing': 0,
    'Qualia slow': 0,
    'internal API closed': 0,
  };
  const passing = {
    qualia: atRandom(seed, [...ofBoth, { kind: 'graphql_error' }]),
    internalApi: atRandom(seed + 100, ofBoth),
  };
  const pause = (ms: number) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  const peace = async (): Promise<void> => {
    const goal = (await done()) + random.integer(shortestPeace, longestPeace);
    const endMs = Date.now() + patienceMs;
    while (!stopping.signal.aborted && Date.now() < endMs && (await done()) < goal) await pause(lookEveryMs);
  };
  const kill = async (name: string): Promise<void> => {
    const functionName = aws.functions.find((one) => one.endsWith(`-${name}`));
    if (functionName === undefined) throw new Error(`There is no Lambda ${name}`);
    await aws.kill(functionName);
  };

  const strikes: Readonly<Record<Trouble, () => Promise<void>>> = {
    'kill webhook': () => kill('webhook'),
    'kill download': () => kill('download'),
    'kill processing': () => kill('processing'),
    'Qualia slow': async () => {
      await put(`${qualiaUrl}/latency`, { latency_ms: slowMs });
      await pause(random.integer(lastsMs.least, lastsMs.most));
      await put(`${qualiaUrl}/latency`, { latency_ms: 0 });
    },
    'internal API closed': async () => {
      await put(`${internalApiUrl}/faults`, [{ kind: 'hang_up' }]);
      await pause(random.integer(lastsMs.least, lastsMs.most));
      await put(`${internalApiUrl}/faults`, passing.internalApi);
    },
  };

  const strikeOn = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      for (const trouble of random.shuffle(troubles)) {
        await peace();
        if (stopping.signal.aborted) return;
        struck[trouble] += 1;
        await strikes[trouble]();
      }
    }
  };

  await put(`${qualiaUrl}/faults`, passing.qualia);
  await put(`${internalApiUrl}/faults`, passing.internalApi);
  const striking = strikeOn();
  return {
    hadAll: () => troubles.every((trouble) => struck[trouble] > 0),
    calm: async () => {
      stopping.abort();
      await striking;
      // A worker's circuit stays open for half a minute; a new worker's is closed.
      for (const name of ['download', 'processing']) await kill(name);
      await put(`${qualiaUrl}/faults`, []);
      await put(`${internalApiUrl}/faults`, []);
      return struck;
    },
  };
};
