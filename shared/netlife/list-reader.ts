import { PipelineError } from '../errors';
import type { PortalApi, PortalCall } from './api';
import { type Listing, readRows } from './listing';
import { type FetchedPage, type KeptPages, paginate } from './pages';
import type { Portal } from './portals';
import type { Tally } from './tally';

/** How a long list is read in several turns. */
export interface ResumableRead {
  /** Called before each page is fetched. If the time is up, the list fails with a retryable `TIMEOUT`. */
  readonly isTimeUp?: (() => boolean) | undefined;
  /** The stored pages of a list, from earlier turns. */
  readonly pagesOf?: ((list: Listing<unknown>['list']) => KeptPages) | undefined;
}

/** The job a call is counted for, and whether its last try may take 120 s. */
export type CallOptions = Pick<PortalCall, 'job' | 'slow'>;

export interface ListOptions extends CallOptions, Pick<ResumableRead, 'isTimeUp'> {
  readonly kept?: KeptPages | undefined;
}

/** A list of a portal: its path below the base URL, and its rows. */
export type PortalListing<T> = Listing<T> & { readonly path: string };

/** Reads the lists of one portal over all their pages. Counts rows that cannot be read. */
export const createListReader = (api: PortalApi, portal: Portal, tally: Tally) => {
  const readPages = (path: string, { isTimeUp, kept, ...call }: ListOptions = {}): AsyncGenerator<unknown> => {
    const fetchPage = async (page: string): Promise<FetchedPage> => {
      if (isTimeUp?.()) throw new PipelineError('TIMEOUT', 'The time was up', { api: 'netlife', retryable: true });
      return api.fetchPage({ ...call, path: page });
    };
    return paginate(portal.basePath + path, portal, fetchPage, kept);
  };

  const read = <T>(
    { path, slow, ...listing }: PortalListing<T>,
    { isTimeUp, pagesOf }: ResumableRead = {},
  ): AsyncGenerator<T> => {
    const { job } = listing;
    const rows = readPages(path, { job, slow, isTimeUp, kept: pagesOf?.(listing.list) });
    return readRows(rows, { portal: portal.name, ...listing }, (rejected) => tally.reject(rejected, job));
  };

  return {
    /** The raw rows of a list. A page is fetched when its first row is read. */
    readPages,
    /** The rows of a list that can be read. A page is fetched when its first row is read. */
    read,
    readAll: async <T>(listing: PortalListing<T>, reading?: ResumableRead): Promise<T[]> => {
      const rows: T[] = [];
      for await (const row of read(listing, reading)) rows.push(row);
      return rows;
    },
  };
};

export type ListReader = ReturnType<typeof createListReader>;
