/** What a page announces about the size of its list. */
export interface Announced {
  /** Rows of the whole list. */
  readonly rows?: number | undefined;
  /** Pages of the whole list. */
  readonly pages?: number | undefined;
  /** Whether there is another page, in a form that we do not follow. */
  readonly more?: boolean | undefined;
}

const nextPage =
  /^(odata)?(has)?(next|more)(page|pages|pageurl|pageuri|pagelink|pagetoken|pagecursor|pagenumber|url|uri|link|href|cursor|token|offset|start|marker|key|id|results|items|rows|records|set|batch|data|available)?$/;
const partOfList =
  /^((next)?continuation(token)?|(is)?(truncated|partial|incomplete)|incompleteresults|(remaining|left)(items|rows|results|records|pages|count)?)$/;
/** `false` for one of these keys means that there is more; other values mean nothing. */
const endOfList = /^((is)?(last|final)(page)?|(is)?(complete|finished|done)|endoflist)$/;
const allRows =
  /^((full|overall)?(count|total)|total(count|items|results|records|rows|elements|entries|hits|objects)|(items?|rows?|results?|records?|elements?|entries|objects?)(count|total)|num(ber)?(of)?(items|results|records|rows|elements|entries))$/;
const allPages = /^((total|last|max|num(ber)?(of)?)pages?|pages?(count|total)|pages)$/;
/** Objects that describe a page. Other objects, such as the job of a list of subjects, have counts of their own. */
const description =
  /^(meta(data|info)?|pagination|paginator|paging|pager?|pages|page(able|info|data)|links?|cursors?|(list|result)(set|info)?|info)$/;
/** Maximum depth of descriptions. At this depth, only the keys themselves are read. */
export const deepestDescription = 4;
const maxKeys = 200;

/** Makes `next_page_url`, `nextPageUrl` and `X-Next-Page-Url` equal. */
const plain = (key: string): string =>
  key
    .toLowerCase()
    .replace(/^x-/, '')
    .replaceAll(/[^a-z]/g, '');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether the value of `next` or `has_more` means that there is more. */
const saysMore = (value: unknown): boolean => {
  if (typeof value === 'string') return !/^\s*(false|no|0|null|none)?\s*$/i.test(value);
  if (typeof value === 'number') return value > 0;
  if (isObject(value)) return Object.values(value).some((inner) => !isObject(inner) && saysMore(inner));
  return Array.isArray(value) ? value.length > 0 : value === true;
};

const numberIn = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && /^\s*\d{1,15}(\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};

const most = (numbers: readonly (number | undefined)[]): number | undefined => {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** The maximum of what they announce. */
export const mergeAnnounced = (all: readonly Announced[]): Announced => ({
  rows: most(all.map(({ rows }) => rows)),
  pages: most(all.map(({ pages }) => pages)),
  more: all.some(({ more }) => more),
});

const announcedBy = (key: string, value: unknown, depth: number): readonly Announced[] => {
  const name = plain(key);
  const announced: Announced[] = [];
  if (nextPage.test(name) || partOfList.test(name)) announced.push({ more: saysMore(value) });
  if (endOfList.test(name) && value === false) announced.push({ more: true });
  if (allRows.test(name)) announced.push({ rows: numberIn(value) });
  if (allPages.test(name)) announced.push({ pages: numberIn(value) });
  if (!description.test(name) || depth >= deepestDescription) return announced;
  const isNextLink = (link: unknown) => isObject(link) && link.rel === 'next';
  if (Array.isArray(value)) announced.push({ more: value.slice(0, maxKeys).some(isNextLink) });
  else announced.push(announcedIn(value, depth + 1));
  return announced;
};

/**
 * What an object that describes a page announces. Unknown keys announce nothing: this covers the common forms of APIs
 * and proves nothing about others.
 */
export const announcedIn = (described: unknown, depth = 0): Announced =>
  mergeAnnounced(
    Object.entries(isObject(described) ? described : {})
      .slice(0, maxKeys)
      .flatMap(([key, value]) => announcedBy(key, value, depth)),
  );

/** What the status and headers of a response announce: `Link`, `Content-Range`, `X-Total-Count`, `X-Next-Page`, … */
export const announcedByHeaders = (
  statusCode: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Announced => {
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-'));
  const links = [headers.link].flat().join(',');
  const range = /^\w+ +(?:\d+-\d+|\*)\/(\d{1,15})$/.exec([headers['content-range']].flat().join());
  const more = statusCode === 206 || /;\s*rel\s*=\s*"?([^";,]*\s)?next\b/i.test(links);
  return mergeAnnounced([announcedIn(Object.fromEntries(own)), { rows: numberIn(range?.[1]), more }]);
};
