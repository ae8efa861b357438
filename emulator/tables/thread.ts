import { serveInThread } from '../service-thread';
import { serveTables } from './server';

/** What the thread of the tables gets. */
export interface TablesOptions {
  readonly directory: string;
  readonly preferredPort: number | undefined;
}

void serveInThread<TablesOptions>(({ directory, preferredPort }) => serveTables(directory, preferredPort));
