import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ApiFault } from '../api';

/** Shown while a document is read for the first time. */
export const Loading = () => (
  <div className="state" role="status">
    <span className="spinner" aria-hidden="true" />
    Loading …
  </div>
);

/** Shown where a list has no rows. Says why, and what to do. */
export const Empty = ({ title, children }: { readonly title: string; readonly children?: ReactNode }) => (
  <div className="state">
    <p className="state-title">{title}</p>
    {children !== undefined && <div className="state-text">{children}</div>}
  </div>
);

const titles: Readonly<Record<ApiFault['kind'], string>> = {
  usage: 'The input is wrong',
  'signed-out': 'Not signed in',
  foreign: 'Not allowed',
  'read-only': 'The console is read-only',
  absent: 'Not found',
  failed: 'That failed',
  unreachable: 'AWS cannot be reached',
  offline: 'The console has stopped',
};

/** Shows an error, and how to try again. */
export const Failure = ({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) => {
  const isFault = error instanceof ApiFault;
  return (
    <div className="state failure" role="alert">
      <p className="state-title">{isFault ? titles[error.kind] : 'This screen failed'}</p>
      <p className="state-text">{error instanceof Error ? error.message : String(error)}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
};

interface LoadedProps<T> {
  readonly query: UseQueryResult<T>;
  readonly children: (document: T) => ReactNode;
}

/** Shows a document, or that it is being read, or why it cannot be read. An old document stays, with the error above it. */
export const Loaded = <T,>({ query: { data, error, refetch }, children }: LoadedProps<T>) => (
  <>
    {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
    {data === undefined ? error === null && <Loading /> : children(data)}
  </>
);
