import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { type OrderId, orderIdSchema, type Round, roundSchema } from '../../shared/orders/order';
import { createPayloadStore } from '../../shared/orders/payload-store';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';

const folder = 'raw/';
/** Maximum number of rounds that an error message names. */
const namedRounds = 5;

/** The key under which the download worker stores the payload of a round. */
export const payloadKey = (orderId: OrderId, round: Round): string => `${folder}${orderId}/${round}.json`;

/** Finds and reads the raw payloads of a stage. */
export const createPayloadService = ({ s3, rawBucketName }: Pick<StageConnection, 's3' | 'rawBucketName'>) => {
  const pages = (prefix: string) => paginateListObjectsV2({ client: s3 }, { Bucket: rawBucketName, Prefix: prefix });

  const listRounds = async (orderId: OrderId): Promise<Round[]> => {
    const rounds: Round[] = [];
    for await (const { Contents = [] } of pages(`${folder}${orderId}/`)) {
      for (const { Key = '' } of Contents) {
        const round = parseKey(Key)?.round;
        if (round !== undefined) rounds.push(round);
      }
    }
    return rounds.sort().reverse();
  };

  return {
    load: createPayloadStore(s3, rawBucketName).load,

    /** The rounds of an order whose payload is stored, newest first. */
    listRounds,

    /**
     * The key of an older round's payload.
     *
     * @throws {ServiceFault} `absent`, naming stored rounds, if this one has no payload
     */
    keyOf: async (orderId: OrderId, round: Round): Promise<string> => {
      const stored = await listRounds(orderId);
      if (stored.includes(round)) return payloadKey(orderId, round);
      const newest = stored.slice(0, namedRounds).join(', ');
      const others = newest === '' ? 'it has none' : `the newest are ${newest}`;
      throw new ServiceFault('absent', `Order ${orderId} has no stored payload for round ${round}; ${others}.`);
    },

    /**
     * Yields each order with a payload stored since then once. Lists all keys of the bucket, 1,000 per call, and holds
     * one page.
     *
     * @param onListed receives the number of objects listed so far
     */
    async *listStoredSince(since: Date, onListed: (objects: number) => void): AsyncGenerator<OrderId> {
      let newest: OrderId | undefined;
      let listed = 0;
      for await (const { Contents = [] } of pages(folder)) {
        listed += Contents.length;
        onListed(listed);
        // Keys are sorted, so those of one order are adjacent.
        for (const { Key = '', LastModified } of Contents) {
          const orderId = LastModified !== undefined && LastModified >= since ? parseKey(Key)?.orderId : undefined;
          if (orderId === undefined || orderId === newest) continue;
          newest = orderId;
          yield orderId;
        }
      }
    },
  };
};

const parseKey = (key: string): { readonly orderId: OrderId; readonly round: Round } | undefined => {
  const [, id, name] = /^raw\/([^/]+)\/([^/]+)\.json$/.exec(key) ?? [];
  const orderId = orderIdSchema.safeParse(id).data;
  const round = roundSchema.safeParse(name).data;
  return orderId !== undefined && round !== undefined ? { orderId, round } : undefined;
};
