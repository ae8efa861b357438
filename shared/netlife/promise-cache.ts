export interface PromiseCacheOptions {
  readonly onHit: (key: string) => void;
  readonly onMiss: (key: string) => void;
  /** Maximum number of entries; the oldest are dropped. Default: no limit. */
  readonly maxEntries?: number;
}

/** Caches promises, so that concurrent callers share one call. A failed call is not cached. */
export class PromiseCache<T> {
  readonly #entries = new Map<string, Promise<T>>();

  constructor(private readonly options: PromiseCacheOptions) {}

  get(key: string, load: () => Promise<T>): Promise<T> {
    const kept = this.#entries.get(key);
    if (kept !== undefined) {
      this.options.onHit(key);
      return kept;
    }
    this.options.onMiss(key);
    const loading = load();
    this.#entries.set(key, loading);
    loading.catch(() => {
      if (this.#entries.get(key) === loading) this.#entries.delete(key);
    });
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size > (this.options.maxEntries ?? Number.POSITIVE_INFINITY)) {
      this.#entries.delete(oldest);
    }
    return loading;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}
