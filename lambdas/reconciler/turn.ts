import type { CallContext } from '../../shared/http/api-client';

/** One invocation's share of the work on a pass. */
export interface Turn {
  /** Epoch ms. No new work begins after it. */
  readonly endsAtMs: number;
  /** For calls to Qualia. The deadline leaves time for a call in progress to end. */
  readonly context: CallContext;
}
