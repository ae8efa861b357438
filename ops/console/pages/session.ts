import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { api, load } from './api';

/** The query of the session. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: () => load(api.session.$get()),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The stage of the console, and whether it may change it. */
export const useSession = () => useSuspenseQuery(sessionQuery).data;
