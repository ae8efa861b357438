import type { InferResponseType } from 'hono/client';
import type { api } from '../../api';
import { Badge } from '../../components/badge';

/** An issue, as the API returns it. */
export type IssueDocument = InferResponseType<typeof api.issues.$get>['issues'][number];

const tones = { open: 'bad', acknowledged: 'warning', resolved: 'good' } as const;

/** The state of an issue in a word. */
export const IssueState = ({ issue: { state, reopened } }: { readonly issue: IssueDocument }) => (
  <Badge tone={tones[state]}>{state === 'open' && reopened ? 'reopened' : state}</Badge>
);

/** The cause of an issue: worker, error code, HTTP status, field or code. */
export const IssueCause = ({ issue }: { readonly issue: IssueDocument }) => {
  const { worker, error_code, status_code, detail } = issue;
  return (
    <span className="cause">
      <code>{error_code}</code> {[status_code, detail].filter((part) => part !== null).join(' ')}
      <span className="quiet-text"> in {worker}</span>
    </span>
  );
};
