import {
  describeCause,
  episodeCountOf,
  episodeOf,
  type Issue,
  isReopened,
  runbookOf,
  stateOf,
} from '../../shared/issues/issue';

/** What changed about an issue since the last notification. */
export type NoticeKind = 'opened' | 'reopened' | 'grew' | 'recovered';

/** An open issue is notified again when it has this many times the failures of the last notification. */
const growth = 10;

/** The notification that is due for an issue, if there is one. */
export const noticeFor = (issue: Issue, nowMs: number): NoticeKind | undefined => {
  const isNew = issue.notified !== episodeOf(issue);
  switch (stateOf(issue, nowMs)) {
    case 'acknowledged':
      return undefined;
    case 'resolved':
      // Nobody was notified of an issue that was resolved at once.
      return isNew && issue.notified !== undefined ? 'recovered' : undefined;
    case 'open': {
      if (isNew) return isReopened(issue) ? 'reopened' : 'opened';
      return episodeCountOf(issue) >= growth * Math.max(1, issue.notified_count ?? 1) ? 'grew' : undefined;
    }
  }
};

const explanations: Readonly<Record<NoticeKind, (issue: Issue) => string>> = {
  opened: () => 'Orders fail with a new cause.',
  reopened: ({ resolved_at }) => `Orders fail again with a cause that was resolved at ${resolved_at}.`,
  grew: ({ notified_count = 1 }) => `The last notification counted ${notified_count}.`,
  recovered: ({ resolved_by }) =>
    resolved_by === 'quiet'
      ? 'No order has failed with this cause for 24 hours, and none is left.'
      : 'An operator resolved it.',
};

/** The limit of SNS, in ASCII characters. */
const maxSubject = 100;

export interface Notice {
  readonly subject: string;
  readonly message: string;
}

/** The notification about an issue. Contains ids and codes only. */
export const renderNotice = (kind: NoticeKind, issue: Issue, stage: string): Notice => {
  const cause = describeCause(issue);
  const count = episodeCountOf(issue);
  const all = count === issue.count ? '' : `, ${issue.count} in all`;
  const replay = `npx pipeline --stage ${stage} issues replay ${issue.id}`;
  const rows: (readonly [string, string])[] = [
    ['cause', cause],
    ['failed', `${count}${all}, the last at ${issue.last_seen}`],
    ['release', `began in ${issue.release}, last in ${issue.last_release}`],
    ['sample', issue.sample],
    ['runbook', `docs/runbook.md#${runbookOf(issue)}`],
    ['look', `npx pipeline --stage ${stage} issues get ${issue.id}`],
    ...(kind === 'recovered' ? [] : [['then', replay] as const]),
  ];
  return {
    subject: `[${stage}] Issue ${kind}: ${cause}`.replace(/[^\x20-\x7e]/g, '?').slice(0, maxSubject),
    message: [explanations[kind](issue), '', ...rows.map(([name, value]) => `${name.padEnd(8)} ${value}`)].join('\n'),
  };
};
