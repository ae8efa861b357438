import type { PortalApi } from './api';
import type { KnownKeys } from './known-keys';
import type { ListReader } from './list-reader';
import type { Portal } from './portals';
import { accessKeySchema, createdKeySchema, displayNameOf, type Subject } from './schemas';
import type { Tally } from './tally';

export interface AccessKeyDependencies {
  readonly api: Pick<PortalApi, 'fetchJson'>;
  readonly lists: Pick<ListReader, 'read'>;
  readonly portal: Portal;
  readonly tally: Tally;
}

export interface AccessKeyOptions {
  /** Creates a key for a subject without one. */
  readonly create: boolean;
  /** A known key saves the call. Default: none is known. */
  readonly known?: KnownKeys | undefined;
}

/** The access keys of one portal's subjects. */
export const createAccessKeys = ({ api, lists, portal, tally }: AccessKeyDependencies) => ({
  /**
   * A subject's first access key; if there is none and `create` is set, a new one. A key cannot be deleted, and the
   * next run would find the older of two. A key that the portal lists is added to the known ones. Before each further try it therefore looks for the key that a failed try
   * created.
   *
   * @returns `undefined` if there is none, which counts as failed
   */
  getOrCreate: async (
    job: string,
    subject: Subject,
    { create, known }: AccessKeyOptions,
  ): Promise<string | undefined> => {
    const knownKey = known?.find(subject.uuid);
    if (knownKey !== undefined) {
      tally.count({ access_keys_existing: 1, access_keys_known: 1 }, job);
      return knownKey;
    }
    const path = `/jobs/${encodeURIComponent(job)}/subjects/${encodeURIComponent(subject.uuid)}/accesskeys`;
    const listing = { path, schema: accessKeySchema, list: 'access_keys', job, subject: subject.uuid } as const;
    const findKey = async (): Promise<string | undefined> => {
      for await (const key of lists.read(listing)) return key;
      return undefined;
    };
    const existing = await findKey();
    if (existing !== undefined) {
      known?.add(subject.uuid, existing);
      tally.count({ access_keys_existing: 1 }, job);
      return existing;
    }
    if (!create) {
      tally.count({ access_keys_failed: 1 }, job);
      return undefined;
    }
    const response = await api.fetchJson({
      method: 'POST',
      path: portal.basePath + path,
      body: { name: displayNameOf(subject) },
      job,
      findCompleted: findKey,
    });
    const key = createdKeySchema.safeParse(response).data;
    tally.count(key === undefined ? { access_keys_failed: 1 } : { access_keys_created: 1 }, job);
    return key;
  },
});

export type AccessKeys = ReturnType<typeof createAccessKeys>;
