import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import * as z from 'zod';
import type { OrderId, Round } from '../../shared/orders/order';
import { createMappingService, mapPayload } from '../services/mapping';
import { exitCodes } from './exit-codes';
import { checkWritable, toIdLines, writeWhole } from './id-file';
import { orderIdSchema, type RawInput, roundSchema, sinceSchema, UsageError } from './input';
import { describeFailure, renderDiff, tally, toDiffDocument, toTrialDocument, warningLines } from './mapping-view';
import { type Surroundings, type Terminal, toJson } from './terminal';
import type { Attach, Desk, Session } from './verb';

const ownCode = `
Uses the mapping of this checkout, not the deployed one: change it here, try it,
then deploy it. Sends nothing and changes nothing.`;

const tryHelp = `${ownCode}

Prints the whole order: names, addresses, phone numbers. Keep it out of tickets
and recordings. The body goes to stdout, everything else to stderr.`;

const diffHelp = `${ownCode}

--since refers to the time at which the payload was stored. The output names
fields but shows no values. --out writes the ids of the orders that change, to
post exactly these again once the mapping is deployed:
  pipeline mapping diff --since 30d --out affected.ids
  pipeline orders replay --from raw --ids affected.ids`;

/** Adds `mapping try` and `mapping diff`. */
export const addMappingCommands = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const mapping = program.command('mapping').description('test the mapping on stored orders (sends nothing)');

  const trial = mapping
    .command('try')
    .description("map one order's stored payload and print the result, which contains personal data")
    .argument('[order]', "the order's id at Qualia")
    .option('--round <round>', 'an older round; default: the newest')
    .option('--file <file>', 'a raw payload on this machine instead of an order')
    .addHelpText('after', tryHelp);
  attach(trial, {
    schema: z.object({
      order: z.optional(orderIdSchema),
      round: roundSchema.optional(),
      file: z.string().min(1, 'is empty').optional(),
    }),
    rules: tryRules,
    runOffline: ({ file }, desk) => (file === undefined ? undefined : tryFile(file, desk)),
    run: ({ order, round }, session) => tryOrder(order, round, session),
  });

  const diff = mapping
    .command('diff')
    .description('map stored payloads and list the orders and fields that differ from what was posted')
    .option('--since <when>', 'only payloads stored since: 24h, 30d, or an ISO 8601 time', '30d')
    .option('--out <file>', 'write the ids of changed orders, for "orders replay --ids"')
    .addHelpText('after', diffHelp);
  attach(diff, {
    schema: z.object({ since: sinceSchema(now), out: z.string().min(1, 'is empty').optional() }),
    run: ({ since, out }, session) => runDiff(since, out, session),
  });
};

const tryRules = ({ order, round, file }: RawInput): string[] => [
  ...(order === undefined && file === undefined ? ['give an order id or --file'] : []),
  ...(order !== undefined && file !== undefined ? ['give either an order id or --file, not both'] : []),
  ...(round !== undefined && order === undefined ? ['--round needs an order id'] : []),
];

const tryFile = async (file: string, { terminal }: Desk): Promise<number> => {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError([`--file ${file} cannot be read (${error.code})`]);
  });
  return report({ file }, mapPayload(bytes), terminal);
};

const tryOrder = async (
  order: OrderId | undefined,
  round: Round | undefined,
  { stage, terminal }: Session,
): Promise<number> => {
  if (order === undefined) return exitCodes.usage;
  const { s3Key, mapping } = await createMappingService(stage).try(order, round);
  const payload = `s3://${stage.rawBucketName}/${s3Key}`;
  terminal.note(payload);
  return report({ stage: stage.name, order_id: order, payload }, mapping, terminal);
};

const report = (subject: object, mapping: ReturnType<typeof mapPayload>, terminal: Terminal): number => {
  const failure = describeFailure(mapping);
  if (failure !== undefined) {
    terminal.error(failure, { kind: 'failed', ...subject });
    return exitCodes.failed;
  }
  for (const line of warningLines(mapping)) terminal.note(line);
  terminal.result({ ...subject, ...toTrialDocument(mapping) }, () =>
    mapping.kind === 'mapped' ? toJson(mapping.order) : '',
  );
  return exitCodes.done;
};

const runDiff = (since: Date, out: string | undefined, session: Session): Promise<number> => {
  const { stage, stageLabel, stageCommand, terminal } = session;
  return session.interruptible(async (signal) => {
    const live = terminal.live();
    const counts = tally();
    let listed = 0;
    const show = (): void => live.show([counts.progress(listed)]);
    const onListed = (objects: number): void => {
      listed = objects;
      show();
    };
    if (out !== undefined) await checkWritable(out);
    for await (const comparison of createMappingService(stage).diff({ since, onListed })) {
      if (signal.aborted) break;
      counts.add(comparison);
      show();
    }
    live.end();
    const isComplete = !signal.aborted;
    if (out !== undefined && isComplete) await writeWhole(out, toIdLines(counts.affected()));
    terminal.result(toDiffDocument(counts, { stage: stage.name, since, listed, isComplete }), () =>
      renderDiff(counts, { stageLabel, stageCommand, since, out, isComplete }),
    );
    return isComplete ? exitCodes.done : exitCodes.aborted;
  });
};
