export interface ByteBudgetOptions {
  /** Maximum number of bytes that are reserved at a time. */
  readonly totalBytes: number;
  /** A reservation of up to this many bytes is always granted and does not count. */
  readonly freeBytes: number;
}

/** The bytes of one holder. */
export interface ByteReservation {
  /**
   * Reserves `bytes` instead of what is reserved now, unless that is at least as much.
   *
   * @returns `false` if they do not fit now, or if others wait; then the reservation is unchanged
   */
  tryReserve(bytes: number): boolean;
  /**
   * The same, but releases what is reserved now and waits for its turn: a holder that waits holds nothing, so that no two
   * can wait for each other.
   *
   * @returns `false` if its turn did not come within `patienceMs`; then nothing is reserved
   */
  reserve(bytes: number, patienceMs: number): Promise<boolean>;
  /** Ends the reservation, or the wait for it. The holder can reserve again. */
  release(): void;
}

interface Waiter {
  readonly bytes: number;
  readonly end: (isGranted: boolean) => void;
}

/**
 * A limit of the bytes that are in work at a time, first come, first served. A reservation that is larger than the whole
 * budget is granted while there is no other one, so that everything gets its turn.
 */
export interface ByteBudget {
  /** A new holder, with nothing reserved. */
  open(): ByteReservation;
}

export const createByteBudget = ({ totalBytes, freeBytes }: ByteBudgetOptions): ByteBudget => {
  /** In the sequence in which they came. */
  const waiting = new Set<Waiter>();
  let reservedBytes = 0;

  const fits = (bytes: number, besides: number): boolean => besides === 0 || besides + bytes <= totalBytes;

  const serve = (): void => {
    for (const waiter of waiting) {
      if (!fits(waiter.bytes, reservedBytes)) return;
      waiting.delete(waiter);
      reservedBytes += waiter.bytes;
      waiter.end(true);
    }
  };

  return {
    open: () => {
      let heldBytes = 0;
      let waiter: Waiter | undefined;

      const tryReserve = (bytes: number): boolean => {
        if (bytes <= freeBytes || bytes <= heldBytes) return true;
        const others = reservedBytes - heldBytes;
        if (waiting.size > 0 || !fits(bytes, others)) return false;
        reservedBytes = others + bytes;
        heldBytes = bytes;
        return true;
      };

      const release = (): void => {
        reservedBytes -= heldBytes;
        heldBytes = 0;
        if (waiter !== undefined) {
          waiting.delete(waiter);
          waiter.end(false);
        }
        serve();
      };

      const waitFor = (bytes: number, patienceMs: number): Promise<boolean> =>
        new Promise((resolve) => {
          const timer = setTimeout(release, patienceMs);
          const own: Waiter = {
            bytes,
            end: (isGranted) => {
              clearTimeout(timer);
              waiter = undefined;
              if (isGranted) heldBytes = bytes;
              resolve(isGranted);
            },
          };
          waiter = own;
          waiting.add(own);
        });

      return {
        tryReserve,
        reserve: async (bytes, patienceMs) => {
          if (bytes <= heldBytes) return true;
          release();
          if (tryReserve(bytes)) return true;
          return patienceMs > 0 && (await waitFor(bytes, patienceMs));
        },
        release,
      };
    },
  };
};
