import type { InferResponseType } from 'hono/client';
import type { api } from '../../api';

/** The document of the screen of an order. */
export type OrderDocument = InferResponseType<(typeof api.orders)[':id']['$get']>;
export type Round = OrderDocument['trace']['rounds'][number];
export type RoundEvent = Round['events'][number];

/** The rounds whose payload is stored, the newest first. */
export const storedRoundsOf = ({ trace }: OrderDocument): readonly string[] =>
  trace.rounds.flatMap(({ round, payload_stored }) => (round !== null && payload_stored ? [round] : [])).reverse();
