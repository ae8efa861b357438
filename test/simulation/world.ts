/** What a model needs of the simulation that it is part of. */
export interface SimulatedWorld {
  /** Virtual time, ms since 1970. */
  readonly now: () => number;
  /** The next number in [0, 1) of the seed. */
  readonly random: () => number;
  /** Resolves after `ms` of virtual time. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** The part of an SDK client that our code uses: it takes the SDK's own command objects, and there is no HTTP. */
export interface ModelClient {
  readonly send: (command: { readonly input: object }) => Promise<unknown>;
}
