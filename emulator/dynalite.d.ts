declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** @param options `path`: folder of the LevelDB store; `createTableMs`: how long a new table stays CREATING */
  function dynalite(options: { path?: string; createTableMs?: number }): Server;
  export default dynalite;
}

declare module 'dynalite/db' {
  interface Table {
    TableStatus: string;
    GlobalSecondaryIndexes?: { IndexStatus: string }[];
  }
  interface Level {
    open(): Promise<void>;
    iterator(range: { gte: string; lt: string }): AsyncIterable<[key: string, value: Table]>;
    keys(): AsyncIterable<unknown>;
    put(key: string, value: Table): Promise<void>;
    close(): Promise<void>;
  }
  const store: {
    /** Opens the store without the server. */
    create(options: { path: string }): { db: Level };
  };
  export default store;
}
