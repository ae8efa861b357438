import fc from 'fast-check';
import type { Death } from '../support/outside';
import type { StageName } from '../support/pipeline';
import {
  type ChangePlan,
  type Content,
  change,
  deliver,
  deploy,
  expectNewestState,
  type Id,
  look,
  type Precision,
  reconcile,
  repeat,
  replay,
  sendPending,
  startWorld,
  type Trouble,
  type World,
} from './world';

/** More of them before a release: `PROPERTY_RUNS=1000 npx jest --selectProjects integration --testPathPatterns newest`. */
const numRuns = Number(process.env.PROPERTY_RUNS ?? 12);

/** A command made of plain data, which is also what a failure prints. */
const command = <T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  run: (world: World, input: T) => unknown,
): fc.Arbitrary<fc.AsyncCommand<object, World>> =>
  arbitrary.map((input) => ({
    check: () => true,
    run: async (_model, world) => {
      await run(world, input);
      await look(world);
    },
    toString: () => `${name}(${JSON.stringify(input)})`,
  }));

const weighted = <T>(...options: readonly (readonly [number, T])[]) =>
  fc.oneof(...options.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

/** Mostly one order, so that its history gets long. */
const id = weighted<Id>([5, 'QO-1'], [1, 'QO-2']);
const stage = fc.constantFrom<StageName>('download', 'processing');
const rarely = weighted([9, false], [1, true]);
const trouble = weighted<Trouble>([4, 'none'], [1, 'passing'], [1, 'lasting'], [2, 'lost responses'], [1, 'permanent']);

const callNames = [
  ...['fetchOrder', 'PutObject', 'UpdateItem', 'SendMessage', 'ChangeMessageVisibility'],
  ...['GetObject', 'GetItem', 'postOrder', 'GetSecretValue'],
];
const death = fc.record<Death>({ call: fc.constantFrom(...callNames), when: fc.constantFrom('before', 'after') });

const changePlan = fc.record<ChangePlan>({
  id,
  content: weighted<Content>([8, 'A'], [8, 'B'], [2, 'C'], [1, 'unmappable']),
  passMs: weighted([2, 0], [2, 150], [2, 1_500], [1, 30_000], [1, 600_000]),
  precision: weighted<Precision>([2, 'microsecond'], [3, 'millisecond'], [3, 'second'], [2, 'minute']),
  // Clocks differ by up to two seconds; some senders are in the wrong time zone.
  clockErrorMs: weighted([4, 0], [2, -1_900], [2, 1_900], [1, 3 * 3_600_000]),
  webhook: weighted<ChangePlan['webhook']>([6, 'notification'], [3, 'activity'], [2, 'late'], [1, 'lost']),
  enqueueFails: rarely,
});

const delivery = command(
  'deliver',
  fc.record({
    stage,
    max: fc.constantFrom<1 | 2>(1, 2),
    troubles: fc.record({ 'QO-1': trouble, 'QO-2': trouble }),
    death: fc.option(death, { freq: 5, nil: undefined }),
    deletionLost: rarely,
    overtakenBy: fc.option(changePlan, { freq: 4, nil: undefined }),
  }),
  async (world, plan) => {
    // From the other queue if the chosen one is empty.
    const other = plan.stage === 'download' ? 'processing' : 'download';
    if ((await deliver(world, plan)) === 0) await deliver(world, { ...plan, stage: other });
  },
);
const changing = command('change', changePlan, change);
const calm = { max: 2, troubles: { 'QO-1': 'none', 'QO-2': 'none' }, death: undefined, deletionLost: false } as const;
/** A change that is downloaded, and whose POST meets a trouble. What was recorded and what took effect then differ. */
const wayThrough = command(
  'change and process',
  fc.record({ plan: changePlan, trouble: weighted<Trouble>([3, 'none'], [2, 'lost responses'], [1, 'lasting']) }),
  async (world, { plan, trouble: met }) => {
    await change(world, plan);
    await deliver(world, { ...calm, stage: 'download', overtakenBy: undefined });
    const troubles = { 'QO-1': met, 'QO-2': met };
    await deliver(world, { ...calm, stage: 'processing', troubles, overtakenBy: undefined });
  },
);
const killedEarly: Death = { call: 'GetObject', when: 'before' };
/** The receive at which it is overtaken, which may be its last, and where its worker is killed then, if it is. */
const lastBreath = fc.record({
  receives: fc.constantFrom(1, 2),
  death: fc.oneof(
    fc.constant(undefined),
    { weight: 2, arbitrary: fc.constant<Death>({ call: 'postOrder', when: 'after' }) },
    death,
  ),
});
/** A change whose POST lands after the POST of the next change. */
const overtaken = command(
  'change and be overtaken',
  fc.tuple(changePlan, changePlan, lastBreath),
  async (world, input) => {
    const [plan, next, { receives, death: met }] = input;
    await change(world, { ...plan, enqueueFails: false });
    await deliver(world, { ...calm, stage: 'download', overtakenBy: undefined });
    const overtakenBy: ChangePlan = { ...next, id: plan.id, webhook: 'activity', enqueueFails: false };
    for (let receive = 1; receive < receives; receive++) {
      await deliver(world, { ...calm, stage: 'processing', death: killedEarly, overtakenBy: undefined });
    }
    await deliver(world, { ...calm, stage: 'processing', death: met, overtakenBy });
  },
);
const commands = [
  ...[changing, changing, overtaken],
  ...[wayThrough, wayThrough, wayThrough, wayThrough],
  ...[delivery, delivery, delivery, delivery],
  command('send pending', fc.nat(), sendPending),
  command('repeat', fc.nat(), repeat),
  command('duplicate', fc.tuple(stage, fc.nat()), async ({ pipeline, received }, [of, index]) => {
    const body = received[of][index % Math.max(1, received[of].length)];
    if (body !== undefined) await pipeline.send(of, body);
  }),
  command('redeliver in another order', stage, async ({ pipeline }, of) =>
    pipeline.release(of, (await pipeline.receive(of, 10)).toReversed()),
  ),
  command('redrive', stage, ({ pipeline }, of) => pipeline.redrive(of)),
  command('replay', fc.tuple(id, fc.constantFrom('from Qualia', 'from raw', 'force')), (world, [of, meaning]) =>
    replay(world, of, meaning),
  ),
  command('reconcile', fc.constant(undefined), reconcile),
  command('deploy', fc.constant(undefined), deploy),
];

test(
  'whatever happens in whatever order, the internal API ends with the newest state of every order',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.commands(commands, { maxCommands: 30, size: 'max' })), async (story) => {
        const world = await startWorld();
        try {
          await fc.asyncModelRun(() => ({ model: {}, real: world }), story);
          await expectNewestState(world);
        } finally {
          await world.pipeline.stop();
        }
      }),
      { numRuns },
    );
  },
  numRuns * 60_000,
);

test('without faults, each change that reaches a download is posted once, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Content>('A', 'B', 'C'), { minLength: 1, maxLength: 8 }),
      async (contents) => {
        const world = await startWorld();
        try {
          for (const content of contents) {
            const webhook = 'notification';
            const precision = 'millisecond';
            await change(world, {
              id: 'QO-1',
              content,
              passMs: 60_000,
              precision,
              clockErrorMs: 0,
              webhook,
              enqueueFails: false,
            });
            await world.pipeline.drain();
          }
          const { posts } = await world.pipeline.internalApi.postsOf('QO-1');
          expect(posts).toHaveLength(contents.filter((content, index) => content !== contents[index - 1]).length);
        } finally {
          await world.pipeline.stop();
        }
      },
    ),
    { numRuns: 5 },
  );
}, 60_000);
