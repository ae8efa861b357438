import { createHmac } from 'node:crypto';
import { toEvent, toProfile, type Viewer } from './rows';

/** The fields of the two payloads that come from the row, in the order of their digests. */
const fieldNames = [
  'email',
  'first_name',
  'last_name',
  'plan_type',
  'candidate',
  'page',
  'location',
  'browser',
  'timestamp',
] as const;

const payloadBytes = 16;
const fieldBytes = 2;
/** Length of 16 bytes in base64url. */
const payloadLength = 22;

/**
 * Digests of what is sent about users: keyed with the API key of the project, so that nobody who reads them can test
 * guesses (docs/privacy.md). Two parts in base64url: 16 bytes of both payloads, which decide whether the user changed,
 * and 2 bytes of each field, which only name the changed fields to people.
 */
export const createDigests = (apiKey: string) => {
  const key = createHmac('sha256', apiKey).update('marketplace: digests of sent users').digest();
  const mac = (text: string, bytes: number): Buffer =>
    createHmac('sha256', key).update(text).digest().subarray(0, bytes);

  return {
    /** Identifies the project, without revealing its key. */
    project: mac('project', payloadBytes).toString('base64url'),

    /** The first part of {@link full}: the profile, the event and its id. */
    ofPayloads: (user: Viewer): string =>
      mac(JSON.stringify([toProfile(user), toEvent(user)]), payloadBytes).toString('base64url'),

    full: (user: Viewer, ofPayloads: string): string => {
      const profile = toProfile(user);
      const values: Readonly<Record<string, string | boolean>> = {
        ...toEvent(user).dataFields,
        ...profile.dataFields,
        email: profile.email,
      };
      const fields = fieldNames.map((name) => mac(JSON.stringify([name, values[name] ?? null]), fieldBytes));
      return ofPayloads + Buffer.concat(fields).toString('base64url');
    },
  };
};

export type Digests = ReturnType<typeof createDigests>;

/** Whether a digest is that of the same payloads. */
export const isSamePayload = (digest: string, ofPayloads: string): boolean =>
  digest.slice(0, payloadLength) === ofPayloads;

/** Names of the fields in which two digests differ. */
export const changedFields = (before: string, after: string): string[] => {
  const [old, fresh] = [before, after].map((digest) => Buffer.from(digest.slice(payloadLength), 'base64url'));
  const part = (bytes: Buffer | undefined, index: number) =>
    bytes?.toString('hex', index * fieldBytes, (index + 1) * fieldBytes);
  return fieldNames.filter((_, index) => part(old, index) !== part(fresh, index));
};
