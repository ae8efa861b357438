import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { PipelineError } from '../errors';
import { operationKey } from '../operations/key';
import { NamedFailure } from './step';

/** A lease holds for this time after the newest write of one of its run's workers. */
export const leaseMs = 5 * 60_000;
/** A holder makes no call in the last part of its lease, and nobody takes the lease in this time after its end. */
export const leaseMarginMs = 30_000;
/** A lease that was taken holds for this time, until the first write of a worker. */
export const claimMs = 60_000;
/** The workers of a run notice within this time that it was stopped or taken over. */
export const noticeMs = 5_000;
const maxTries = 5;
const keptSeconds = 90 * 24 * 3_600;

const leaseSchema = z.object({
  run_id: z.string(),
  /** Counts how often the run took its leases. The item of the run has the same number once the run has started. */
  generation: z.number(),
  /** The lease holds until then, although the run has not started yet. */
  claimed_until: z.iso.datetime(),
});

/** The newest holder of a vendor's limit, such as that of a portal. */
export type Lease = z.output<typeof leaseSchema>;

/** The part of a run's item that decides whether the run holds its leases. */
export interface Holder {
  readonly status: string;
  readonly leased_until?: string | undefined;
  readonly lease_generation?: number | undefined;
  readonly updated_at: string;
}

/** Where leases are stored. */
export interface LeaseStore {
  /** Reads consistently. */
  readonly read: (name: string) => Promise<Lease | undefined>;
  /** Replaces a lease. @returns false if it is no longer the one that was read */
  readonly swap: (name: string, seen: Lease | undefined, next: Lease, nowMs: number) => Promise<boolean>;
}

/** Another run uses a limit that this run needs. The execution fails with this name before anything is called. */
export class AlreadyRunning extends NamedFailure {
  override readonly name = 'AlreadyRunning';
  override readonly code = 'ALREADY_RUNNING';

  constructor(
    lease: string,
    /** The run that uses it. */
    readonly holder: string,
  ) {
    super(`The run ${holder} is using ${lease}`);
  }
}

const isAhead = (time: string | undefined, nowMs: number, marginMs = leaseMarginMs): boolean =>
  time !== undefined && Date.parse(time) + marginMs > nowMs;

/**
 * Whether nobody else may take a lease.
 *
 * @param holder the item of the lease's run
 */
export const isHeld = (lease: Lease, holder: Holder | undefined, nowMs: number): boolean =>
  holder?.lease_generation === lease.generation
    ? holder.status === 'RUNNING' && isAhead(holder.leased_until, nowMs)
    : isAhead(lease.claimed_until, nowMs);

export interface LeaseOptions {
  readonly store: LeaseStore;
  /** Reads consistently. */
  readonly readRun: (runId: string) => Promise<Holder | undefined>;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/**
 * The leases of the vendors' limits: at most one run holds each (docs/adr/0025). A lease names a run. It holds while
 * the item of this run is RUNNING and was written within {@link leaseMs}, so that every progress write renews it, and
 * the end of the run releases it. Only a swap of the lease itself can move it to another run, or back to a run that
 * has not renewed it in time.
 */
export const createLeases = ({ store, readRun, sleep }: LeaseOptions) => {
  const release = async (name: string, runId: string, generation: number, nowMs: number): Promise<void> => {
    const seen = await store.read(name);
    if (seen?.run_id !== runId || seen.generation !== generation) return;
    await store.swap(name, seen, { ...seen, claimed_until: new Date(0).toISOString() }, nowMs);
  };

  const takeOne = async (
    name: string,
    runId: string,
    generation: number,
    nowMs: number,
  ): Promise<Holder | undefined> => {
    for (let tries = 1; ; tries++) {
      const seen = await store.read(name);
      const holder = seen && (await readRun(seen.run_id));
      if (seen?.run_id === runId) {
        // Another worker of the run has just taken it.
        if (seen.generation === generation && isAhead(seen.claimed_until, nowMs, -leaseMarginMs)) return holder;
      } else if (seen && (isHeld(seen, holder, nowMs) || tries === maxTries)) {
        throw new AlreadyRunning(name, seen.run_id);
      }
      const claimed_until = new Date(nowMs + claimMs).toISOString();
      if (await store.swap(name, seen, { run_id: runId, generation, claimed_until }, nowMs)) return holder;
      if (tries === maxTries)
        throw new PipelineError('RUN_TAKEN_OVER', `Others take the lease ${name} at the same time`, {
          retryable: false,
        });
    }
  };

  return {
    /**
     * Takes all leases of a run, or none. They hold for {@link claimMs}: until then, the run's item must have the
     * generation and be written by a worker.
     *
     * @param names such as `netlife/nowandgen`
     * @throws {AlreadyRunning} if another run holds one of them
     */
    take: async (runId: string, generation: number, names: readonly string[], nowMs: number): Promise<void> => {
      const taken: string[] = [];
      let stoppedAtMs = Number.NEGATIVE_INFINITY;
      try {
        // Every run takes its leases in the same order, so that of two runs at least one gets all.
        for (const name of [...names].sort()) {
          const holder = await takeOne(name, runId, generation, nowMs);
          taken.push(name);
          if (holder?.status === 'STOPPED') stoppedAtMs = Math.max(stoppedAtMs, Date.parse(holder.updated_at));
        }
      } catch (error) {
        await Promise.all(taken.map((name) => release(name, runId, generation, nowMs)));
        throw error;
      }
      // A worker of a run that was stopped a moment ago may still make calls. How long ago is not known exactly: the stop
      // was recorded by another clock.
      if (stoppedAtMs + noticeMs + leaseMarginMs > nowMs) await sleep(noticeMs);
    },
  };
};

/** Stores leases in the Operations table. */
export const createLeaseStore = (client: DynamoDBDocumentClient, tableName: string): LeaseStore => ({
  read: async (name) => {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: operationKey('LEASE', name), ConsistentRead: true }),
    );
    return Item && leaseSchema.parse(Item);
  },

  swap: async (name, seen, { run_id, generation, claimed_until }, nowMs) => {
    try {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: operationKey('LEASE', name),
          UpdateExpression:
            'SET run_id = :run_id, generation = :generation, claimed_until = :until, expires_at = :expires',
          ConditionExpression: seen
            ? 'run_id = :seen_run AND generation = :seen_generation AND claimed_until = :seen_until'
            : 'attribute_not_exists(id)',
          ExpressionAttributeValues: {
            ':run_id': run_id,
            ':generation': generation,
            ':until': claimed_until,
            ':expires': Math.floor(nowMs / 1_000) + keptSeconds,
            ...(seen && {
              ':seen_run': seen.run_id,
              ':seen_generation': seen.generation,
              ':seen_until': seen.claimed_until,
            }),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  },
});
