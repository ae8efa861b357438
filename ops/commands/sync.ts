import type { Command } from 'commander';
import * as z from 'zod';
import { syncJobNames } from '../../shared/runs/jobs';
import { runIdSchema } from '../../shared/runs/run-id';
import { hasEnded } from '../services/run-status';
import { createSyncService, type RunView, type SyncService } from '../services/sync-runs';
import { exitCodes } from './exit-codes';
import { countSchema } from './input';
import { readStartInput, type StartRequest } from './run-input';
import { describeRunInput } from './run-input-help';
import { partsOf, renderProgress } from './run-progress';
import { renderFailedRun, renderRun, renderRuns, toRunDocument } from './run-view';
import { formatDuration } from './terminal';
import type { Attach, ChangingSession, Session } from './verb';

const maxListed = 1_000;
/** Number of newest runs among which those in progress are looked for. */
const maxChecked = 20;

const runSchema = z.object({ run: runIdSchema });
const confirmedSchema = runSchema.extend({ yes: z.boolean().default(false) });

/** Adds `sync start`, `sync list`, `sync get`, `sync watch`, `sync stop` and `sync redrive`. */
export const addSyncCommands = (program: Command, attach: Attach): void => {
  const sync = program.command('sync').description('start, watch and stop runs of the Netlife and Iterable syncs');
  const verb = (name: string, description: string) =>
    sync.command(name).description(description).argument('<run>', "the run's id");

  const start = sync
    .command('start')
    .description('check the input and start a run')
    .argument('[job]', `${syncJobNames.join(' or ')}; default: the jobs in the input, or both`)
    .option('--input <file>', 'the input as JSON; its keys are below')
    .option('--rows <file>', 'send these rows to Iterable: a corrected failed.csv or rejected.csv of an earlier run')
    .option('--run-id <id>', "the run's id; default: built from the time")
    .option('--dry-run', 'read and build everything, but send nothing')
    .option('--wait', 'wait for another run that uses the same portal or Iterable; default: fail')
    .option('--watch', 'follow the run to its end; exits with 0 only if it succeeds')
    .addHelpText('after', () => `\n${describeRunInput()}`);
  attach.changing(start, {
    schema: z.object({
      job: z.enum(syncJobNames, `must be ${syncJobNames.join(' or ')}`).optional(),
      input: z.string().optional(),
      rows: z.string().optional(),
      runId: runIdSchema.optional(),
      dryRun: z.boolean().default(false),
      wait: z.boolean().default(false),
      watch: z.boolean().default(false),
    }),
    rules: ({ job, rows }) =>
      rows !== undefined && job === 'netlife' ? ['--rows needs the job iterable: Netlife reads its portals'] : [],
    run: ({ watch, ...request }, session) => runStart(request, watch, session),
  });

  const list = sync
    .command('list')
    .description('runs of the last 90 days, newest first')
    .option('--limit <count>', `maximum number of runs, up to ${maxListed}`, '20');
  attach(list, {
    schema: z.object({ limit: countSchema(maxListed) }),
    run: async ({ limit }, { stage, stageLabel, terminal, now }) => {
      const { total, runs } = await createSyncService(stage).list(limit);
      if (total > runs.length) terminal.note(`Showing the newest ${runs.length} of ${total}; --limit shows more.`);
      const document = runs.map(({ runId, status, startedAt, finishedAt, jobs, message }) => ({
        run_id: runId,
        status,
        started_at: startedAt,
        finished_at: finishedAt ?? null,
        jobs,
        message: message ?? null,
      }));
      terminal.result({ stage: stage.name, total, runs: document }, () =>
        runs.length === 0 ? `There are no sync runs in ${stageLabel}.` : renderRuns(runs, terminal, now()),
      );
      return exitCodes.done;
    },
  });

  const get = verb('get', 'show a run: status, progress, and its reports once it has ended');
  attach(get.option('--full', 'of a run that did not succeed, show everything, not only why'), {
    schema: runSchema.extend({ full: z.boolean().default(false) }),
    run: async ({ run, full }, session) => {
      const service = createSyncService(session.stage);
      await show(await service.get(run), service, session, full);
      return exitCodes.done;
    },
  });

  attach(verb('watch', 'follow a run to its end; exits with 0 only if it succeeds'), {
    schema: runSchema,
    run: ({ run }, session) => follow(run, undefined, createSyncService(session.stage), session),
  });

  attach.changing(verb('stop', 'stop a run; its output so far is kept').option('-y, --yes', 'skip the question'), {
    schema: confirmedSchema,
    run: async ({ run, yes }, session) => {
      const service = createSyncService(session.stage);
      const view = await service.get(run);
      return change({
        view,
        session,
        yes,
        possible: !hasEnded(view.status) || view.run?.status === 'RUNNING',
        question: `Stop the sync run ${run} in ${session.stageLabel}?`,
        work: () => service.stop(view),
        done: {
          key: 'stopped',
          text: `Stopped the sync run ${run}. Running work ends within seconds; "sync redrive ${run}" resumes it.`,
        },
      });
    },
  });

  const redrive = verb('redrive', 'resume a run that failed, is PARTIAL or was stopped, where it ended');
  attach.changing(redrive.option('-y, --yes', 'skip the question'), {
    schema: confirmedSchema,
    run: async ({ run, yes }, session) => {
      const service = createSyncService(session.stage);
      const view = await service.get(run);
      return change({
        view,
        session,
        yes,
        possible: hasEnded(view.status) && !['SUCCEEDED', 'SKIPPED'].includes(view.status),
        question: `Redrive the sync run ${run} in ${session.stageLabel}? Finished work is not repeated.`,
        work: () => service.redrive(view),
        done: { key: 'redriven', text: `Redrove the sync run ${run}; "sync watch ${run}" follows it.` },
      });
    },
  });
};

const runStart = async (request: StartRequest, watch: boolean, session: ChangingSession): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const service = createSyncService(stage);
  const { runId, input, rows } = await readStartInput(request, service.checkInput, now());
  await warnOfOtherRuns(input, request.wait, service, session);
  await session.beginChange({ ids: [runId] });
  if (rows !== undefined) await service.storeRows(runId, rows);
  const executionArn = await service.start(runId, input);
  const started = `Started the sync run ${runId} in ${stageLabel}`;
  if (watch) {
    terminal.note(`${started}.`);
    return follow(runId, executionArn, service, session);
  }
  const document = { stage: stage.name, run_id: runId, status: 'RUNNING', execution_arn: executionArn, input };
  terminal.result(document, () => `${started}; "sync watch ${runId}" follows it.`);
  return exitCodes.done;
};

/** Names the runs in progress that work on the same jobs: the two share the limits of the vendors. */
const warnOfOtherRuns = async (
  input: Readonly<Record<string, unknown>>,
  waits: boolean,
  service: SyncService,
  { terminal, now }: Session,
): Promise<void> => {
  const named = syncJobNames.filter((job) => input[job] !== undefined);
  const jobs: readonly string[] = named.length > 0 ? named : syncJobNames;
  const { runs } = await service.list(maxChecked);
  for (const { runId, status, startedAt, jobs: theirs } of runs) {
    // Before its first step, the jobs of a run are not known.
    const common = theirs.length === 0 ? jobs : jobs.filter((job) => theirs.includes(job));
    if (hasEnded(status) || common.length === 0) continue;
    const duration = formatDuration((now() - Date.parse(startedAt)) / 1_000);
    const effect = waits ? 'this one waits for it' : 'where both use the same limit, this one fails; --wait waits';
    terminal.note(`Warning: run ${runId} of ${common.join(' and ')} has been in progress for ${duration}: ${effect}.`);
  }
};

/** Shows the progress of a run until it ends, then its reports. */
const follow = (
  runId: string,
  executionArn: string | undefined,
  service: SyncService,
  session: Session,
): Promise<number> =>
  session.interruptible(async (signal) => {
    const { stage, terminal } = session;
    const live = terminal.live();
    let last: RunView | undefined;
    for await (const view of service.watch(runId, { executionArn, signal })) {
      last = view;
      const parts = view.run ? partsOf(view.run) : [];
      const waits = view.status === 'WAITING' ? `waiting: ${view.run?.message ?? ''}` : 'planning';
      live.show(parts.length === 0 || view.status === 'WAITING' ? [waits] : renderProgress(parts, live.columns()));
    }
    live.end();
    if (last === undefined || !hasEnded(last.status)) {
      terminal.result(
        { stage: stage.name, run_id: runId, status: last?.status ?? null },
        () => `The run continues; "sync watch ${runId}" follows it.`,
      );
      return exitCodes.aborted;
    }
    await show(last, service, session);
    return last.status === 'SUCCEEDED' ? exitCodes.done : exitCodes.failed;
  });

const show = async (
  view: RunView,
  service: SyncService,
  { stage, stageCommand, terminal, now }: Session,
  full = false,
): Promise<void> => {
  const report = await service.report(view);
  const isShort = report !== undefined && view.status !== 'SUCCEEDED' && !full;
  terminal.result({ stage: stage.name, ...toRunDocument(view, report) }, () =>
    isShort ? renderFailedRun(view, report, terminal, now(), stageCommand) : renderRun(view, report, terminal, now()),
  );
};

interface Change {
  readonly view: RunView;
  readonly session: ChangingSession;
  /** Whether the run's state allows the change. */
  readonly possible: boolean;
  readonly yes: boolean;
  readonly question: string;
  readonly work: () => Promise<void>;
  readonly done: { readonly key: 'stopped' | 'redriven'; readonly text: string };
}

/** Changes a run if the operator confirms it. */
const change = async ({ view, session, possible, yes, question, work, done }: Change): Promise<number> => {
  const { stage, terminal } = session;
  const conclude = (changed: boolean, text: string, exitCode: number): number => {
    const document = { stage: stage.name, run_id: view.runId, status_before: view.status, [done.key]: changed };
    terminal.result(document, () => text);
    return exitCode;
  };
  if (!possible) {
    return conclude(false, `Nothing to do: the sync run ${view.runId} is ${view.status}.`, exitCodes.done);
  }
  if (!yes && !(await terminal.confirm(question))) {
    return conclude(false, `The sync run ${view.runId} was not changed.`, exitCodes.aborted);
  }
  await session.beginChange({ ids: [view.runId] });
  await work();
  return conclude(true, done.text, exitCodes.done);
};
