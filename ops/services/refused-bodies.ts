import { DeleteObjectCommand, GetObjectCommand, NoSuchKey, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { type RefusedBody, refusedKey, refusedPrefix } from '../../shared/refused-bodies';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';
import { openWebhook } from './webhook';

const refusedBodySchema = z.object({
  received_at: z.iso.datetime(),
  request_id: z.string(),
  details: z.array(z.object({ path: z.string(), message: z.string() })),
  body: z.string(),
}) satisfies z.ZodType<RefusedBody>;

/** The id of a refused body, a hash of it. */
export const refusedIdSchema = z.string().regex(/^[0-9a-f]{32}$/, 'must be an id as "webhooks refused list" shows it');

/** A kept body. */
export interface KeptBody extends RefusedBody {
  readonly id: string;
}

/** What the webhook said to a body that was sent again. */
export type Acceptance =
  | { readonly id: string; readonly accepted: true; readonly orderId: string; readonly outcome: string }
  | { readonly id: string; readonly accepted: false; readonly details: RefusedBody['details'] };

const acceptedSchema = z.object({ order_id: z.string(), status: z.string() });
const refusedSchema = z.object({ details: refusedBodySchema.shape.details });

/** The bodies that the webhook refused with 422, and kept. */
export const createRefusedBodyService = (stage: StageConnection, now: () => number) => {
  const { s3, rawBucketName: Bucket } = stage;

  /** @throws {ServiceFault} `absent`; `failed` if the object is not one that the webhook wrote */
  const get = async (id: string): Promise<KeptBody> => {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: refusedKey(id) }));
      const kept = refusedBodySchema.safeParse(parseJson((await Body?.transformToString()) ?? ''));
      if (!kept.success) throw new ServiceFault('failed', `The object of the refused body ${id} cannot be read.`);
      return { id, ...kept.data };
    } catch (error) {
      if (!(error instanceof NoSuchKey)) throw error;
      throw new ServiceFault(
        'absent',
        `There is no refused body ${id}: it was accepted before, or it has expired.`,
        error,
      );
    }
  };

  return {
    get,

    /** The ids of the bodies that were refused since then, the newest first. */
    list: async (since: Date): Promise<string[]> => {
      const found: { readonly id: string; readonly at: number }[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix: refusedPrefix })) {
        for (const { Key = '', LastModified } of Contents) {
          const id = refusedIdSchema.safeParse(Key.slice(refusedPrefix.length).replace(/\.json$/, '')).data;
          const at = LastModified?.getTime() ?? 0;
          if (id !== undefined && at >= since.getTime()) found.push({ id, at });
        }
      }
      return found.sort((a, b) => b.at - a.at).map(({ id }) => id);
    },

    /**
     * Sends kept bodies through the webhook again, one after the other, and deletes those that it accepts. If this process
     * stops in between, the next call sends a body again: a notification is then a duplicate, an activity starts a round that
     * changes nothing.
     *
     * @throws {ServiceFault} `absent`; `failed` if the webhook responds neither 200 nor 422
     */
    async *accept(ids: readonly string[], signal: AbortSignal): AsyncGenerator<Acceptance> {
      const webhook = await openWebhook(stage, now);
      for (const id of ids) {
        if (signal.aborted) return;
        const { body } = await get(id);
        const response = await webhook.post({
          name: id,
          method: 'POST',
          path: '/webhooks/qualia',
          headers: { 'content-type': 'application/json' },
          body,
          authentication: webhook.credential,
        });
        const accepted = response.status === 200 ? acceptedSchema.safeParse(response.body).data : undefined;
        const refused = response.status === 422 ? refusedSchema.safeParse(response.body).data : undefined;
        if (accepted) {
          await s3.send(new DeleteObjectCommand({ Bucket, Key: refusedKey(id) }));
          yield { id, accepted: true, orderId: accepted.order_id, outcome: accepted.status };
        } else if (refused) {
          yield { id, accepted: false, details: refused.details };
        } else {
          throw new ServiceFault(
            'failed',
            `The webhook responded ${response.status} to the body ${id}; it is still kept.`,
          );
        }
      }
    },
  };
};
