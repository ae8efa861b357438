import type { Command } from 'commander';
import * as z from 'zod';
import type { Issue } from '../../shared/issues/issue';
import { createIssueService } from '../services/issues';
import { exitCodes } from './exit-codes';
import { countSchema, untilSchema } from './input';
import { renderIssue, renderIssues, toIssueDocument } from './issue-view';
import { maxReplayRate, runReplay } from './replay';
import { plural, type Surroundings } from './terminal';
import type { Attach, ChangingSession, Session } from './verb';

const help = `
An issue groups the orders that failed with one cause: worker, error code, HTTP
status, and a field path or code. It is open until an operator resolves it, or
until 24 hours have passed without a failure and no order is left in it. An
issue that returns is reopened. "ack" silences it until a time.`;

const idSchema = z.string().regex(/^[0-9a-f]{8}$/, 'must be the id of an issue, as "issues" lists it');
const idHelp = 'the id of the issue, as "issues" lists it';

/** Adds `issues`, and its verbs `get`, `ack`, `resolve` and `replay`. */
export const addIssueCommands = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const issues = program
    .command('issues')
    .description('list the causes for which orders failed, with their state and count')
    .option('--all', 'also list resolved issues of the last 90 days')
    .addHelpText('after', help);
  attach(issues, {
    schema: z.object({ all: z.boolean().default(false) }),
    run: ({ all }, session) => list(all, session),
  });

  const get = issues
    .command('get')
    .description('show an issue, the orders that are left in it, and what to do next')
    .argument('<id>', idHelp);
  attach(get, {
    schema: z.object({ id: idSchema }),
    run: async ({ id }, session) => show(await createIssueService(session.stage, session.now).get(id), session),
  });

  const acknowledge = issues
    .command('ack')
    .description('acknowledge an issue: no notification about it, and not red in "status", until a time')
    .argument('<id>', idHelp)
    .requiredOption('--until <when>', 'a duration such as 4h, or an ISO 8601 time');
  attach.changing(acknowledge, {
    schema: z.object({ id: idSchema, until: untilSchema(now) }),
    run: async ({ id, until }, session) => {
      const service = createIssueService(session.stage, session.now);
      await service.get(id);
      await session.beginChange({ ids: [id] });
      return show(await service.acknowledge(id, until), session);
    },
  });

  const resolve = issues
    .command('resolve')
    .description('close an issue; the next failure with its cause opens it again')
    .argument('<id>', idHelp);
  attach.changing(resolve, {
    schema: z.object({ id: idSchema }),
    run: async ({ id }, session) => {
      const service = createIssueService(session.stage, session.now);
      await service.get(id);
      await session.beginChange({ ids: [id] });
      return show(await service.resolve(id), session);
    },
  });

  const replay = issues
    .command('replay')
    .description('replay the orders that are left in an issue, like "orders replay"')
    .argument('<id>', idHelp)
    .option('--rate <count>', `maximum number of orders per second, up to ${maxReplayRate}`, '10')
    .option('-y, --yes', 'skip the question');
  attach.changing(replay, {
    schema: z.object({ id: idSchema, rate: countSchema(maxReplayRate), yes: z.boolean().default(false) }),
    run: ({ id, rate, yes }, session) => replayIssue(id, rate, yes, session),
  });
};

const list = async (all: boolean, { stage, stageLabel, terminal, now }: Session): Promise<number> => {
  const { issues, unreadable } = await createIssueService(stage, now).list(all);
  if (unreadable > 0) terminal.note(`This version cannot read ${plural(unreadable, 'issue')}.`);
  const document = { stage: stage.name, issues: issues.map((issue) => toIssueDocument(issue, now())), unreadable };
  terminal.result(document, () =>
    issues.length === 0 ? `No ${all ? '' : 'open '}issue in ${stageLabel}.` : renderIssues(issues, now()),
  );
  return exitCodes.done;
};

const show = async (issue: Issue, session: Session): Promise<number> => {
  const { stage, stageCommand, terminal, now } = session;
  const orders = await createIssueService(stage, now).ordersOf(issue);
  const orderIds = orders.map(({ order_id }) => order_id);
  terminal.result({ stage: stage.name, issue: toIssueDocument(issue, now()), orders: orderIds }, () =>
    renderIssue(issue, orders, stageCommand, now(), terminal),
  );
  return exitCodes.done;
};

const replayIssue = async (
  id: string,
  ratePerSecond: number,
  yes: boolean,
  session: ChangingSession,
): Promise<number> => {
  const service = createIssueService(session.stage, session.now);
  const orders = await service.ordersOf(await service.get(id));
  const named = orders.map(({ order_id }) => order_id);
  return runReplay({ named, source: { kind: 'qualia' }, force: false, ratePerSecond, yes }, session);
};
