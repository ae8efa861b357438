import type { Mutant } from '../mutants';

const repository = 'shared/runs/repository.ts';
const leases = 'shared/runs/leases.ts';
const progress = 'shared/runs/progress.ts';
const partSender = 'lambdas/iterable-push/part-sender.ts';
const sentIndex = 'shared/iterable/sent-index.ts';

/** Ways to break the sync jobs. The histories of sync runs must catch each of them. */
export const syncMutants: readonly Mutant[] = [
  {
    name: 'no write renews the leases',
    file: repository,
    find: 'message = :message, updated_at = :now, leased_until = :until',
    replace: 'message = :message, updated_at = :now, leased_until = if_not_exists(leased_until, :until)',
  },
  {
    name: 'a lease ends although its run works',
    file: leases,
    find: "holder.status === 'RUNNING' && isAhead(holder.leased_until, nowMs)",
    replace: "holder.status === 'RUNNING' && isAhead(lease.claimed_until, nowMs)",
  },
  {
    name: 'a run takes only the first of its leases',
    file: leases,
    find: 'for (const name of [...names].sort())',
    replace: 'for (const name of [...names].sort().slice(0, 1))',
  },
  {
    name: 'a worker makes calls after its leases have ended',
    file: progress,
    find: 'if (now() < leasedUntilMs - leaseMarginMs) return undefined;',
    replace: 'if (now() < leasedUntilMs - leaseMarginMs || run !== undefined) return undefined;',
  },
  {
    name: 'the leases of a run are taken before its workers have noticed the stop',
    file: leases,
    find: 'if (stoppedAtMs + noticeMs + leaseMarginMs > nowMs) await sleep(noticeMs);',
    replace: '',
  },
  {
    name: 'a redriven run works without its leases',
    file: repository,
    find: `(await write(\`\${mine} AND #status = :running AND leased_until > :now\`)) ?? (await enterAgain())`,
    replace: '(await write(mine)) ?? (await enterAgain())',
  },
  {
    name: 'a worker does not notice that its run was stopped',
    file: progress,
    find: 'if (untilMs === undefined) stopped.abort();',
    replace: 'if (untilMs === undefined) return;',
  },
  {
    name: 'a turn does not wait for an older one that may still work',
    file: repository,
    find: 'if (hasOpenTurn(before, counterName)) await sleep(noticeMs);',
    replace: '',
  },
  {
    name: 'each call has a pace of its own',
    file: 'shared/netlife/api.ts',
    find: 'pace: createPace({ callsPerSecond: options.rateLimitPerSecond, utilization, signal: refused.signal, ...clock }),',
    replace:
      'pace: () => createPace({ callsPerSecond: options.rateLimitPerSecond, utilization, signal: refused.signal, ...clock })(),',
  },
  {
    name: 'written parts are sent again',
    file: 'shared/iterable/user-parts.ts',
    find: '!written.has(resultsPath(path))',
    replace: '!written.has(path)',
  },
  {
    name: 'the results of a part are written before its last user has one',
    file: partSender,
    find: 'first !== undefined && first.left === 0',
    replace: 'first !== undefined && first.left <= 1',
  },
  {
    name: 'a run that compares nothing leaves the lists of sent users',
    file: sentIndex,
    find: 'return isUnknown ? undefined : { held_by: runId, held_rows_runs: [], lists: {} };',
    replace: 'return undefined;',
  },
  {
    name: 'a run stores its list although another one has sent users',
    file: sentIndex,
    find: 'if (!isStored) return undefined;',
    replace: '',
  },
  {
    name: 'a complete job is collected again',
    file: 'lambdas/netlife-collect/collect-portal.ts',
    find: '=> done || failedAttempts.includes(attempt);',
    replace: '=> failedAttempts.includes(attempt) && !done;',
  },
  {
    name: 'users who are read back change the status of a run',
    file: 'lambdas/iterable-report/handler.ts',
    find: 'incomplete: !isTolerated,',
    replace: 'incomplete: !isTolerated || (confirmation?.differences.length ?? 0) > 0,',
  },
];
