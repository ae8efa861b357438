import type { InferResponseType } from 'hono/client';
import type { api } from '../../api';
import { Badge, type Tone } from '../../components/badge';

export type OrderRow = InferResponseType<typeof api.orders.$get>['orders'][number];

const tones: Readonly<Record<string, Tone>> = { FAILED: 'bad', PROCESSED: 'good' };

/** The status of an order or a round. */
export const OrderStatus = ({ status }: { readonly status: string | null }) => (
  <Badge tone={tones[status ?? ''] ?? 'neutral'}>{status === null ? 'no item' : status.toLowerCase()}</Badge>
);

/** Why an open order waits. */
export const waitingFor = ({ worker, code, held_by_circuit }: OrderRow): string => {
  const step = worker ?? 'a worker';
  if (held_by_circuit) return `${step}: its circuit is open`;
  return code === null ? `${step}: first attempt` : `${step}: next attempt after ${code}`;
};
