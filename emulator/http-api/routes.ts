/** A route of an HTTP API and its target. */
export interface RouteTarget<T> {
  /** `POST /webhook`, `ANY /orders/{id}`, `GET /{proxy+}`, or `$default` */
  readonly routeKey: string;
  readonly target: T;
}

/** A route that a request matched. */
export interface Match<T> extends RouteTarget<T> {
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
}

/**
 * Creates a function that selects the route of a request as an HTTP API does: the most specific path first, `$default`
 * last; a route with the request's method before `ANY`.
 */
export const createRouter = <T>(
  routes: readonly RouteTarget<T>[],
): ((method: string, path: string) => Match<T> | undefined) => {
  const compiled = routes
    .map((route) => {
      const [method = '', path] = route.routeKey.split(' ');
      return { ...route, method, ...(path === undefined ? catchAll : compile(path)) };
    })
    .toSorted((a, b) => a.rank - b.rank || Number(a.method === 'ANY') - Number(b.method === 'ANY'));
  return (method, path) => {
    for (const { routeKey, target, pattern, ...route } of compiled) {
      const match = [method, 'ANY', '$default'].includes(route.method) ? pattern.exec(path) : null;
      if (match) {
        return { routeKey, target, pathParameters: match.groups && decodeAll(match.groups) };
      }
    }
    return undefined;
  };
};

const catchAll = { pattern: /^/, rank: Number.POSITIVE_INFINITY };

/** A more specific path has a lower `rank`: each variable counts 1, a greedy variable 1,000. */
const compile = (path: string): { readonly pattern: RegExp; readonly rank: number } => {
  let rank = 0;
  const segments = path.split('/').map((segment) => {
    const [, name, greedy] = /^\{(\w+)(\+?)\}$/.exec(segment) ?? [];
    if (name === undefined) {
      return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    }
    rank += greedy ? 1000 : 1;
    return greedy ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`;
  });
  return { pattern: new RegExp(`^${segments.join('/')}$`), rank };
};

const decodeAll = (groups: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decode(value)]));

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};
