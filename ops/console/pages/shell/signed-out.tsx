import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failure, Loading } from '../components/states';
import { sessionQuery } from '../session';

/** Shows its children to the operator who opened the printed address; to others, what to do. */
export const SignedOut = ({ children }: { readonly children: ReactNode }) => {
  const { error, isPending, refetch } = useQuery(sessionQuery);
  if (isPending) return <Loading />;
  if (error === null) return children;
  return (
    <main className="alone">
      <h1>Pipeline console</h1>
      <Failure error={error} onRetry={() => void refetch()} />
    </main>
  );
};
