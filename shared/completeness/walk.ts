import { type PipelineError, toPipelineError } from '../errors';
import type { ListedOrder, OpenOrdersRequest } from '../qualia/client';

/** How far a walk through the list has come: everything that another process needs to continue it. */
export interface WalkProgress {
  /** Where the next unread entry is expected. */
  readonly position: number;
  /** The next page begins this many times the overlap before `position`. More than 1 while stepping back. */
  readonly stepsBack: number;
  /** Entries on the longest page so far: the API may allow fewer than were requested. */
  readonly longestPage: number;
  /** The first entry of the list when the walk began. */
  readonly firstId: string | null;
  readonly pagesWithNews: number;
  /** Pages since the last new entry. */
  readonly pagesWithoutNews: number;
  /** Whether the list provides the status of its orders. */
  readonly withStatus: boolean;
}

export const walkStart: WalkProgress = {
  position: 0,
  stepsBack: 1,
  longestPage: 0,
  firstId: null,
  pagesWithNews: 0,
  pagesWithoutNews: 0,
  withStatus: true,
};

/** `endless`: the list repeats itself, for example because the API ignores `offset`. What was not seen may be open. */
export type WalkEnd = 'complete' | 'endless' | 'out of time';

export interface WalkOptions {
  readonly list: (request: OpenOrdersRequest) => Promise<readonly ListedOrder[]>;
  readonly progress: WalkProgress;
  /** Whether this walk has seen the entry. */
  readonly hasSeen: (id: string) => boolean;
  /** Receives each entry once. `hasSeen` is true for it afterwards. */
  readonly onOrder: (order: ListedOrder) => void;
  /** Receives the progress after each page: what a process needs to continue after this one. */
  readonly onProgress: (progress: WalkProgress) => void;
  readonly isTimeUp: () => boolean;
  /** Called when the API refuses the status fields; the walk continues without them. */
  readonly onStatusRefused: (error: PipelineError) => void;
  readonly pageSize?: number;
}

const defaultPageSize = 100;
/** Entries that a page shares with the page before, so that a shift between the two calls is noticed. */
const overlap = 10;
/** With a list that repeats itself, the walk ends after as many pages without news as it had with news, plus these. */
const sparePages = 10;

/** The API does not provide the fields that were requested, or not to us. */
const isRefusal = ({ code, retryable, statusCode }: PipelineError): boolean =>
  !retryable && (code === 'GRAPHQL_ERROR' || (code === 'API_REFUSED' && statusCode === 400));

/**
 * Reads the list of open orders to its end, by offset, while orders open and close.
 *
 * An order that closes shifts all later ones by one place, so that the next page would skip one. Therefore each page
 * begins before the end of the page before. A page that contains no known entry has shifted by more than that: the walk
 * steps back, four times as far each time, until it meets a known entry or the start of the list. As long as the list
 * keeps the relative order of its entries, every order that is open during the whole walk is seen.
 */
export const walkOpenOrders = async (options: WalkOptions): Promise<WalkEnd> => {
  const { hasSeen, onOrder, pageSize: limit = defaultPageSize } = options;
  let { progress } = options;
  const advance = (changes: Partial<WalkProgress>): void => {
    progress = { ...progress, ...changes };
    options.onProgress(progress);
  };

  const list = async (offset: number): Promise<readonly ListedOrder[]> => {
    const { withStatus } = progress;
    try {
      return await options.list({ limit, offset, withStatus });
    } catch (thrown) {
      const error = toPipelineError(thrown);
      if (!withStatus || !isRefusal(error)) throw error;
      const page = await options.list({ limit, offset, withStatus: false });
      // Only now it is certain that the fields were the reason.
      options.onStatusRefused(error);
      advance({ withStatus: false });
      return page;
    }
  };

  while (!options.isTimeUp()) {
    const { position, stepsBack, longestPage, pagesWithNews, pagesWithoutNews } = progress;
    const shared = Math.max(1, Math.min(overlap, Math.floor(longestPage / 2)));
    const offset = Math.max(0, position - shared * stepsBack);
    const page = await list(offset);
    if (offset > 0 && !page.some(({ id }) => hasSeen(id))) {
      advance({ stepsBack: 4 * stepsBack });
      continue;
    }
    let news = 0;
    for (const order of page) {
      if (hasSeen(order.id)) continue;
      onOrder(order);
      news++;
    }
    const firstId = page[0]?.id ?? null;
    advance({
      position: offset + page.length,
      stepsBack: 1,
      longestPage: Math.max(longestPage, page.length),
      firstId: progress.firstId ?? firstId,
      pagesWithNews: pagesWithNews + (news > 0 ? 1 : 0),
      pagesWithoutNews: news > 0 ? 0 : pagesWithoutNews + 1,
    });
    if (news > 0) continue;
    // The API ignores the offset. If it did not stop at the limit, it gave the whole list.
    const isWholeList = offset > 0 && firstId === progress.firstId && page.length !== limit;
    // A page that is not full is the last one. The page of a list with one entry is never shorter than another.
    if (page.length < longestPage || page.length <= 1 || isWholeList) return 'complete';
    if (progress.pagesWithoutNews > pagesWithNews + sparePages) return 'endless';
  }
  return 'out of time';
};
