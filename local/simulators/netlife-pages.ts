/** How a list is split into pages. */
export type PageShape = 'meta' | 'results' | 'data' | 'list';
/** How a page links to the next one. */
export type NextForm = 'absolute' | 'relative' | 'repeated' | 'query';

export interface PageOptions {
  /** `list` is one bare list, without pages. By default each list has its own shape, form and kind of collection. */
  readonly shape?: PageShape | undefined;
  readonly next?: NextForm | undefined;
  /** Rows on a page; default 100. */
  readonly size?: number | undefined;
  /** Each number gives another order of the rows; default: 0, the original order. */
  readonly order?: number | undefined;
  /** Where the API allows both: a map by UUID (true) or a list (false). */
  readonly maps?: boolean | undefined;
}

/** The request for a list. */
export interface PageRequest {
  readonly origin: string;
  /** `/<portal>/api/v1`. */
  readonly basePath: string;
  /** Below the base path. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The row with a number. */
export interface Rows {
  readonly count: number;
  readonly row: (index: number) => unknown;
}

const shapes: PageShape[] = ['meta', 'results', 'data', 'list'];
const nextForms: NextForm[] = ['absolute', 'relative', 'repeated', 'query'];

/** A hash of a text. Decides which of several forms a list takes. */
const choiceOf = (text: string): number => [...text].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);

/** Whether a collection is a map by uuid. */
export const isMap = (path: string, { maps }: PageOptions): boolean => maps ?? choiceOf(path) % 2 === 0;

/** The n-th row in a permutation of `count` rows. */
const reordered = (index: number, count: number, order: number): number => {
  if (order === 0) return index;
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  let step = (order * 7_919) % count || 1;
  while (gcd(step, count) !== 1) step += 1;
  return (index * step + order) % count;
};

/** The requested page of a list. */
export const pageOf = ({ count, row }: Rows, request: PageRequest, options: PageOptions): unknown => {
  const { origin, basePath, path, query } = request;
  const choice = choiceOf(path);
  const shape = options.shape ?? shapes[choice % shapes.length];
  const size = shape === 'list' ? Math.max(1, count) : (options.size ?? 100);
  const page = Math.max(1, Number(query.get('page') ?? 1));
  const from = (page - 1) * size;
  const indexes = Array.from({ length: Math.max(0, Math.min(size, count - from)) }, (_, offset) => from + offset);
  const rows = indexes.map((index) => row(reordered(index, count, options.order ?? 0)));
  if (shape === 'list') return rows;

  const nextQuery = new URLSearchParams(query);
  nextQuery.set('page', String(page + 1));
  const forms: Record<NextForm, string> = {
    absolute: `${origin}${basePath}${path}?${nextQuery}`,
    relative: `${path}?${nextQuery}`,
    repeated: `/api/v1${path}?${nextQuery}`,
    query: `?${nextQuery}`,
  };
  const form = options.next ?? nextForms[choice % nextForms.length] ?? 'absolute';
  const next = from + size < count ? forms[form] : null;
  if (shape === 'results') return { results: rows, next };
  return shape === 'meta' ? { data: rows, meta: { next, total: count } } : { data: rows, next };
};
