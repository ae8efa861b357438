import { parseJson } from '../../../shared/json';
import type { OrderId, Round } from '../../../shared/orders/order';
import { ServiceFault } from '../fault';
import { mapPayload } from '../mapping';
import { createPayloadService } from '../payloads';
import type { StageConnection } from '../stage-connection';
import { changesBetween, type FieldChange } from './changes';
import { type StructureNode, structureOf, valueAt } from './structure';

/** The stored payload of a round, and what the mapping of this checkout makes of it. */
export interface PayloadView {
  readonly s3Key: string;
  readonly sizeBytes: number;
  /** Empty if it is no JSON. */
  readonly structure: readonly StructureNode[];
  /** `mapped`: it has a body. `unknown_state` and `bad_payload`: it cannot be posted. */
  readonly mapping: ReturnType<typeof mapPayload>['kind'];
  /** The body that would be posted now. */
  readonly body: readonly StructureNode[];
}

/** Which of the two documents of a round: the stored payload, or the body that would be posted now. */
export type PayloadPart = 'payload' | 'body';

const decoder = new TextDecoder();
const bodyOf = (mapping: ReturnType<typeof mapPayload>): unknown =>
  mapping.kind === 'mapped' ? mapping.order : undefined;

/** Shows stored payloads without their values, and reveals one value at a time. */
export const createPayloadViews = (stage: StageConnection) => {
  const payloads = createPayloadService(stage);
  const load = async (orderId: OrderId, round: Round) => {
    const s3Key = await payloads.keyOf(orderId, round);
    const bytes = await payloads.load(s3Key);
    return { s3Key, bytes, document: parseJson(decoder.decode(bytes)) };
  };

  return {
    /** @throws {ServiceFault} `absent` if the round has no stored payload */
    read: async (orderId: OrderId, round: Round): Promise<PayloadView> => {
      const { s3Key, bytes, document } = await load(orderId, round);
      const mapping = mapPayload(bytes);
      const body = bodyOf(mapping);
      return {
        s3Key,
        sizeBytes: bytes.byteLength,
        mapping: mapping.kind,
        structure: document === undefined ? [] : structureOf(document),
        body: body === undefined ? [] : structureOf(body),
      };
    },

    /**
     * Reveals one value. It may be personal data, so the caller records who looked, and why.
     *
     * @throws {ServiceFault} `absent` if there is no such value
     */
    reveal: async (orderId: OrderId, round: Round, part: PayloadPart, path: string) => {
      const { bytes, document } = await load(orderId, round);
      const value = valueAt(part === 'payload' ? document : bodyOf(mapPayload(bytes)), path);
      if (value === undefined)
        throw new ServiceFault('absent', `The ${part} of order ${orderId} has no value ${path}.`);
      return value;
    },

    /** The fields that changed from one round's payload to another's. */
    changes: async (orderId: OrderId, from: Round, to: Round): Promise<FieldChange[]> => {
      const [before, after] = await Promise.all([load(orderId, from), load(orderId, to)]);
      return changesBetween(before.document, after.document);
    },
  };
};
