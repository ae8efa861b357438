import { toPipelineError } from '../../shared/errors';
import type { CallContext } from '../../shared/http/api-client';
import type { IterableClient } from '../../shared/iterable/client';
import { type Confirmation, differingFields, spread } from '../../shared/iterable/confirmation';
import type { IterableUser } from '../../shared/iterable/rows';
import type { UserParts } from '../../shared/iterable/user-parts';

export interface ConfirmUsersOptions {
  readonly parts: Pick<UserParts, 'listToSend' | 'readUsers' | 'readResults'>;
  readonly client: Pick<IterableClient, 'readProfile'>;
  readonly context: CallContext;
  /** Maximum number of users to read back. */
  readonly sampleSize: number;
  /** Chooses the users. */
  readonly offset: number;
  /** Whether no time is left for another wait. */
  readonly isTimeUp: () => boolean;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** Iterable applies updates some seconds after it accepted them. Users that differ are read again after each wait. */
const waitsMs = [5_000, 10_000, 20_000, 40_000];

/** Users of both calls' success, spread over all parts. One part at a time is in memory. */
const pickUsers = async ({ parts, sampleSize, offset }: ConfirmUsersOptions): Promise<IterableUser[]> => {
  const paths = spread(await parts.listToSend(), sampleSize, offset);
  const picked: IterableUser[] = [];
  for (const [index, path] of paths.entries()) {
    const results = await parts.readResults(path);
    const users = (await parts.readUsers(path)).filter((_, position) => results[position]?.record.overall_success);
    picked.push(...spread(users, Math.ceil((sampleSize - picked.length) / (paths.length - index)), offset));
  }
  return picked;
};

/**
 * Reads back a sample of the users that Iterable accepted, because accepted does not mean applied, and compares their
 * profiles field by field. A failed call ends it, and never the run: the users were sent.
 */
export const confirmUsers = async (options: ConfirmUsersOptions): Promise<Confirmation> => {
  const { client, context, isTimeUp, sleep } = options;
  const users = await pickUsers(options);
  const fieldsById = new Map<string, string[]>();

  const read = async (user: IterableUser): Promise<void> => {
    const stored = await client.readProfile(user.email, context);
    fieldsById.set(user.row.id ?? '', differingFields(user, stored));
  };
  const differing = () => users.filter(({ row }) => fieldsById.get(row.id ?? '')?.length !== 0);

  let error: string | undefined;
  try {
    for (const waitMs of [0, ...waitsMs]) {
      const open = differing();
      if (open.length === 0 || (waitMs > 0 && isTimeUp())) break;
      if (waitMs > 0) await sleep(waitMs);
      for (const user of open) await read(user);
    }
  } catch (thrown) {
    const fault = toPipelineError(thrown);
    if (fault.api !== 'iterable') throw thrown;
    error = fault.message;
  }

  const differences = [...fieldsById].flatMap(([id, fields]) => (fields.length === 0 ? [] : [{ id, fields }]));
  return {
    checked: fieldsById.size,
    confirmed: fieldsById.size - differences.length,
    differences,
    ...(error !== undefined && { error }),
  };
};
