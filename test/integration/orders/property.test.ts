import fc from 'fast-check';
import type { Death } from '../support/outside';
import type { StageName } from '../support/pipeline';
import type { Trouble } from './model';
import {
  act,
  change,
  comeToRest,
  deliver,
  expectRest,
  type Id,
  type Model,
  notify,
  orderIds,
  orderIn,
  replay,
  type System,
  startSystem,
} from './system';

/** More of them before a release: `PROPERTY_RUNS=1000 npx jest --selectProjects integration --testPathPatterns property`. */
const numRuns = Number(process.env.PROPERTY_RUNS ?? 25);

/** A command from plain data, which is also what a failure prints. */
const command = <T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  run: (model: Model, real: System, input: T) => Promise<unknown>,
  check: (model: Model, input: T) => boolean = () => true,
): fc.Arbitrary<fc.AsyncCommand<Model, System>> =>
  arbitrary.map((input) => ({
    check: (model) => check(model, input),
    run: async (model, real) => void (await run(model, real, input)),
    toString: () => `${name}(${JSON.stringify(input)})`,
  }));

const id = fc.constantFrom<Id>(...orderIds);
const stage = fc.constantFrom<StageName>('download', 'processing');
const rarely = fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const trouble = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Trouble>('none') },
  { weight: 4, arbitrary: fc.constantFrom<Trouble>('passing', 'lasting', 'lost answers') },
  { weight: 1, arbitrary: fc.constant<Trouble>('permanent') },
);
const callNames = [
  ...['fetchOrder', 'PutObject', 'UpdateItem', 'SendMessage', 'ChangeMessageVisibility'],
  ...['GetObject', 'GetItem', 'postOrder', 'GetSecretValue'],
];
const death = fc.record<Death>({ call: fc.constantFrom(...callNames), when: fc.constantFrom('before', 'after') });

const otherStage = { download: 'processing', processing: 'download' } as const;
/** From either queue, if only one has messages. */
const delivery = command(
  'deliver',
  fc.record({
    stage,
    max: fc.constantFrom<1 | 2>(1, 2),
    troubles: fc.record({ 'QO-1': trouble, 'QO-2': trouble }),
    death: fc.option(death, { freq: 4, nil: undefined }),
    deletionLost: rarely,
  }),
  async (model, real, plan) =>
    (await deliver(model, real, plan)) || deliver(model, real, { ...plan, stage: otherStage[plan.stage] }),
);
const webhooks = [
  command('notify', fc.record({ id, minutesAgo: fc.integer({ min: -2, max: 3 }), enqueueFails: rarely }), notify),
  command('act', fc.record({ id, enqueueFails: rarely }), act),
];
const commands = [
  command('change', fc.tuple(id, rarely), (model, real, [of, unmappable]) => change(model, real, of, !unmappable)),
  ...webhooks,
  ...[delivery, delivery, delivery, delivery, delivery, delivery],
  command('duplicate', fc.tuple(stage, fc.nat()), async (_model, { pipeline, seen }, [of, index]) => {
    const body = seen[of][index % Math.max(1, seen[of].length)];
    if (body !== undefined) await pipeline.send(of, body);
  }),
  command('redeliver in another order', stage, async (_model, { pipeline, seen }, of) => {
    const messages = await pipeline.receive(of, 10);
    seen[of].push(...messages.map(({ Body = '' }) => Body));
    await pipeline.release(of, messages.toReversed());
  }),
  command('redrive', stage, (_model, { pipeline }, of) => pipeline.redrive(of)),
  command('replay', id, replay, (model, of) => ['FAILED', 'EXHAUSTED'].includes(orderIn(model, of).status ?? '')),
];

test(
  'whatever happens in whatever order, each newest round is processed exactly once, or failed for a reason',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.commands(commands, { maxCommands: 60, size: 'max' })), async (story) => {
        const system = await startSystem();
        try {
          await fc.asyncModelRun(() => system, story);
          await comeToRest(system.model, system.real);
          await expectRest(system.model, system.real);
        } finally {
          await system.real.pipeline.stop();
        }
      }),
      { numRuns },
    );
  },
  numRuns * 60_000,
);
