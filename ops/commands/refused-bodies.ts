import type { Command } from 'commander';
import * as z from 'zod';
import { type Acceptance, createRefusedBodyService, type KeptBody, refusedIdSchema } from '../services/refused-bodies';
import { exitCodes } from './exit-codes';
import { countSchema, sinceSchema } from './input';
import { outlineOf } from './outline';
import { formatAge, oneLine, renderTable, type Surroundings } from './terminal';
import type { Attach, ChangingSession, Session } from './verb';

const maxListed = 500;
/** Of the widest column of the list, so that a row has 80 characters. */
const faultWidth = 35;

/** Adds `webhook refused list`, `show` and `accept`. */
export const addRefusedBodyCommands = (webhook: Command, attach: Attach, now: Surroundings['now']): void => {
  const refused = webhook
    .command('refused')
    .description('bodies that the webhook refused with 422; they are kept for 30 days');

  const list = refused
    .command('list')
    .description('list the kept bodies with their faults, newest first')
    .option('--since <when>', 'refused since: 30m, 24h, 7d, or an ISO 8601 time', '30d')
    .option('--limit <count>', `maximum number of bodies, up to ${maxListed}`, '20');
  attach(list, {
    schema: z.object({ since: sinceSchema(now), limit: countSchema(maxListed) }),
    run: ({ since, limit }, session) => listBodies(since, limit, session),
  });

  const show = refused
    .command('show')
    .description('show the faults of a kept body, and its structure without its values')
    .argument('<id>', 'the id of a body')
    .option('--reveal', 'print the body, which can contain personal data; recorded, with --reason');
  attach.changing(show, {
    schema: z.object({ id: refusedIdSchema, reveal: z.boolean().default(false) }),
    needsReason: ({ reveal }) => reveal === true,
    run: ({ id, reveal }, session) => showBody(id, reveal, session),
  });

  const accept = refused
    .command('accept')
    .description('send kept bodies through the webhook again, after it was corrected, and delete what it accepts')
    .argument('[id...]', 'the ids of bodies')
    .option('--since <when>', 'instead of ids: all that were refused since: 30m, 24h, 7d, or an ISO 8601 time')
    .option('-y, --yes', 'skip the question');
  attach.changing(accept, {
    schema: z.object({
      id: z.array(refusedIdSchema).default([]),
      since: sinceSchema(now).optional(),
      yes: z.boolean().default(false),
    }),
    rules: ({ id, since }) =>
      (Array.isArray(id) && id.length > 0) === (since !== undefined) ? ['give either ids or --since'] : [],
    run: ({ id, since, yes }, session) => acceptBodies({ ids: [...new Set(id)], since, yes }, session),
  });
};

const faultsOf = ({ details }: Pick<KeptBody, 'details'>): string[] =>
  details.map(({ path, message }) => oneLine(path === '' ? message : `${path} ${message}`));

/** A kept body as a JSON document, without its values. */
export const toRefusedDocument = (kept: KeptBody) => ({
  id: kept.id,
  received_at: kept.received_at,
  request_id: kept.request_id,
  bytes: Buffer.byteLength(kept.body),
  details: kept.details,
});

const shortened = (text: string): string => (text.length > faultWidth ? `${text.slice(0, faultWidth - 1)}…` : text);

const listBodies = async (since: Date, limit: number, session: Session): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const service = createRefusedBodyService(stage, now);
  const ids = await service.list(since);
  const bodies: KeptBody[] = [];
  for (const id of ids.slice(0, limit)) bodies.push(await service.get(id));
  if (ids.length > limit) terminal.note(`Showing the newest ${limit} of ${ids.length} bodies.`);
  terminal.result({ stage: stage.name, total: ids.length, bodies: bodies.map(toRefusedDocument) }, () =>
    bodies.length === 0
      ? `The webhook in ${stageLabel} has kept no refused body since ${since.toISOString()}.`
      : renderTable(
          bodies.map((kept) => {
            const [first = '', ...others] = faultsOf(kept);
            const fault = shortened(others.length === 0 ? first : `+${others.length} ${first}`);
            return [kept.id, formatAge(now() - Date.parse(kept.received_at)), fault];
          }),
          ['ID', 'REFUSED', 'FAULT'],
        ),
  );
  return exitCodes.done;
};

const showBody = async (id: string, reveal: boolean, session: ChangingSession): Promise<number> => {
  const { stage, terminal, now } = session;
  const kept = await createRefusedBodyService(stage, now).get(id);
  if (reveal) await session.beginChange({ ids: [id] });
  const outline = outlineOf(kept.body);
  const document = { stage: stage.name, ...toRefusedDocument(kept), outline, body: reveal ? kept.body : null };
  terminal.result(document, () => {
    const rows = [
      ['id', id],
      ['refused', terminal.time(kept.received_at)],
      ['request', oneLine(kept.request_id)],
      ...faultsOf(kept).map((fault, index) => [index === 0 ? 'faults' : '', fault]),
    ];
    const table = renderTable(rows.map(([name = '', value = '']) => [terminal.colors.dim(name), value]));
    return [table, '', ...(reveal ? [oneLine(kept.body)] : outline)].join('\n');
  });
  if (!reveal) terminal.note('The values are hidden; --reveal prints the body.');
  return exitCodes.done;
};

interface AcceptInput {
  readonly ids: readonly string[];
  readonly since: Date | undefined;
  readonly yes: boolean;
}

const acceptBodies = async ({ ids: given, since, yes }: AcceptInput, session: ChangingSession): Promise<number> => {
  const { stage, stageLabel, stageCommand, terminal, now } = session;
  const service = createRefusedBodyService(stage, now);
  // The oldest first, as they were sent.
  const ids = since === undefined ? given : (await service.list(since)).reverse();
  const conclude = (results: readonly Acceptance[], text: string, exitCode: number): number => {
    const bodies = results.map((result) =>
      result.accepted
        ? { id: result.id, accepted: true, order_id: result.orderId, outcome: result.outcome }
        : { id: result.id, accepted: false, details: result.details },
    );
    terminal.result({ stage: stage.name, bodies }, () => text);
    return exitCode;
  };
  const count = ids.length === 1 ? '1 body' : `${ids.length} bodies`;
  if (ids.length === 0) return conclude([], `The webhook in ${stageLabel} has kept no such body.`, exitCodes.done);
  if (!yes && !(await terminal.confirm(`Send ${count} through the webhook in ${stageLabel} again?`)))
    return conclude([], 'Nothing was sent.', exitCodes.aborted);

  await session.beginChange({ ids });
  return session.interruptible(async (signal) => {
    const results: Acceptance[] = [];
    for await (const result of service.accept(ids, signal)) {
      results.push(result);
      terminal.report(
        result.accepted
          ? `${result.id} accepted: ${stageCommand} orders trace ${result.orderId}`
          : `${result.id} refused again: ${faultsOf(result).join('; ')}`,
      );
    }
    const accepted = results.filter((result) => result.accepted).length;
    const text = `${accepted} of ${count} accepted.`;
    if (signal.aborted) return conclude(results, `${text} The others are still kept.`, exitCodes.aborted);
    return conclude(results, text, accepted === ids.length ? exitCodes.done : exitCodes.failed);
  });
};
