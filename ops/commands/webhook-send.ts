import type { Command } from 'commander';
import * as z from 'zod';
import { type WebhookSample, webhookSamples } from '../../samples/webhook-samples';
import { sendSampleCall } from '../services/sample-call';
import { exitCodes } from './exit-codes';
import { orderIdSchema, type RawInput } from './input';
import { renderTable, type Terminal, toJson, wrapWords } from './terminal';
import type { Attach, ChangingSession } from './verb';

/** When a sample order was created, if it is not a new one: sent again, it is a duplicate. */
const sampleTime = new Date('2026-01-05T14:30:00Z');
const width = 80;

const help = `
A sample is the code of a jurisdiction (TX), "activity", or a call that the
webhook refuses; --list shows all. Locally, Qualia's simulator gets the order
first. On a stage, Qualia must know the order: name one with --order.
Exits with 0 if the webhook responds as expected.`;

const sampleNamed = (name: string): WebhookSample | undefined =>
  webhookSamples.find((sample) => sample.name.toLowerCase() === name.toLowerCase());

const sampleSchema = z.string().transform((name, context): WebhookSample => {
  const sample = sampleNamed(name);
  if (sample !== undefined) return sample;
  context.addIssue({ code: 'custom', message: 'is not a sample; --list shows all' });
  return z.NEVER;
});

const rules = ({ stage, sample, order, new: isNew, list }: RawInput): string[] => [
  ...(stage === 'prod' && !list ? ['--stage prod is refused: samples are made-up orders'] : []),
  ...(order !== undefined && isNew ? ['--order cannot be combined with --new'] : []),
  ...((order !== undefined || isNew) && typeof sample === 'string' && sampleNamed(sample)?.orderOf === undefined
    ? ['--order and --new need a sample with an order']
    : []),
];

interface SendInput {
  readonly sample: WebhookSample;
  readonly isNew: boolean;
  readonly signed: boolean;
  readonly order: string | undefined;
}

/** Adds `webhook send`. */
export const addWebhookSendCommand = (webhook: Command, attach: Attach): void => {
  const send = webhook
    .command('send')
    .description('post a sample to the webhook of the local pipeline, or of any stage except prod')
    .argument('[sample]', 'a jurisdiction such as TX, activity, or a call that is refused', 'TX')
    .option('--new', 'with a new order each time')
    .option('--order <id>', 'about an order that Qualia knows')
    .option('--signed', 'with a Standard Webhooks signature instead of Basic')
    .option('--list', 'list the samples')
    .addHelpText('after', help);
  attach.changing(send, {
    schema: z.object({
      sample: sampleSchema,
      new: z.boolean().default(false),
      order: z.optional(orderIdSchema),
      signed: z.boolean().default(false),
      list: z.boolean().default(false),
    }),
    rules,
    needsReason: ({ list }) => list !== true,
    runOffline: ({ list }, { terminal }) => (list ? listSamples(terminal) : undefined),
    run: ({ sample, new: isNew, signed, order }, session) => sendSample({ sample, isNew, signed, order }, session),
  });
};

const listSamples = async (terminal: Terminal): Promise<number> => {
  const document = webhookSamples.map(({ name, description, expectedStatus }) => ({
    sample: name,
    description,
    expected_status: expectedStatus,
  }));
  terminal.result({ samples: document }, () => {
    const codes = webhookSamples.filter(({ name }) => /^[A-Z]{2}$/.test(name));
    const others = webhookSamples.filter((sample) => !codes.includes(sample));
    return [
      'An order in a jurisdiction:',
      ...wrapWords(
        codes.map(({ name }) => name),
        width - 2,
      ).map((line) => `  ${line}`),
      '',
      renderTable(
        others.map(({ name, expectedStatus, description }) => [name, String(expectedStatus), description]),
        ['SAMPLE', 'STATUS', ''],
      ),
    ].join('\n');
  });
  return exitCodes.done;
};

const orderIdOf = ({ sample, isNew, order }: SendInput, nowMs: number): string =>
  order ?? (isNew ? `QO-${nowMs}` : `QO-SAMPLE-${sample.name}`);

const sendSample = async (input: SendInput, session: ChangingSession): Promise<number> => {
  const { sample, isNew, signed, order } = input;
  const { stage, stageLabel, stageCommand, terminal, now } = session;
  const orderId = orderIdOf(input, now());
  const createdAt = isNew || order !== undefined ? new Date(now()) : sampleTime;

  await session.beginChange({ ids: [sample.orderOf ? orderId : sample.name] });
  const call = { sample, orderId, createdAt, signed, isKnown: order !== undefined };
  const { method, path, status, body, authentication, hasOrder } = await sendSampleCall(stage, call, now);
  if (!hasOrder) {
    terminal.note(`The order is made up: unless ${stageLabel} uses a simulator of Qualia, it ends FAILED.`);
  }

  const next = sample.orderOf && status === 200 ? `${stageCommand} orders trace ${orderId}` : undefined;
  const document = {
    stage: stage.name,
    sample: sample.name,
    order_id: sample.orderOf ? orderId : null,
    authentication,
    status,
    expected_status: sample.expectedStatus,
    response: body ?? null,
    next: next ?? null,
  };
  terminal.result(document, () =>
    [
      `${method} ${path} ${status}`,
      ...(body === undefined ? [] : [toJson(body)]),
      ...(next === undefined ? [] : ['', next]),
    ].join('\n'),
  );
  if (status === sample.expectedStatus) return exitCodes.done;
  terminal.note(`The webhook should have responded ${sample.expectedStatus}.`);
  return exitCodes.failed;
};
