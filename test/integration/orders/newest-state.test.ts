import fc from 'fast-check';
import type { WorkerName } from '../../../shared/orders/order';
import type { Crash } from '../support/interceptor';
import {
  type ChangePlan,
  type Content,
  change,
  deliver,
  deploy,
  expectForwardProgress,
  expectNewestState,
  type FaultKind,
  type Id,
  normalDelivery,
  type Precision,
  reconcile,
  repeat,
  replay,
  sendPending,
  startWorld,
  type World,
} from './world';

/**
 * Few, because the simulation runs through more histories in less time. Increase it before a release:
 * `PROPERTY_RUNS=1000 npx jest --selectProjects integration --testPathPatterns newest`.
 */
const numRuns = Number(process.env.PROPERTY_RUNS ?? 6);

/** Creates a command from plain data, which a failure prints. */
const command = <T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  run: (world: World, input: T) => unknown,
): fc.Arbitrary<fc.AsyncCommand<object, World>> =>
  arbitrary.map((input) => ({
    check: () => true,
    run: async (_model, world) => {
      await run(world, input);
      await expectForwardProgress(world);
    },
    toString: () => `${name}(${JSON.stringify(input)})`,
  }));

const weighted = <T>(...options: readonly (readonly [number, T])[]) =>
  fc.oneof(...options.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

/** Mostly one order, so that its history is long. */
const id = weighted<Id>([5, 'QO-1'], [1, 'QO-2']);
const worker = fc.constantFrom<WorkerName>('download', 'processing');
const rarely = weighted([9, false], [1, true]);
const faultKind = weighted<FaultKind>(
  [4, 'none'],
  [1, 'temporary'],
  [1, 'outage'],
  [2, 'lost responses'],
  [1, 'permanent'],
);

const callNames = [
  ...['fetchOrder', 'PutObject', 'UpdateItem', 'SendMessage', 'SendMessageBatch', 'ChangeMessageVisibility'],
  ...['GetObject', 'GetItem', 'postOrder', 'GetSecretValue'],
];
const crash = fc.record<Crash>({ call: fc.constantFrom(...callNames), when: fc.constantFrom('before', 'after') });

const changePlan = fc.record<ChangePlan>({
  id,
  content: weighted<Content>([8, 'A'], [8, 'B'], [2, 'C'], [1, 'unmappable']),
  elapsedMs: weighted([2, 0], [2, 150], [2, 1_500], [1, 30_000], [1, 600_000]),
  precision: weighted<Precision>([2, 'microsecond'], [3, 'millisecond'], [3, 'second'], [2, 'minute']),
  // Clocks differ by up to two seconds, and some senders use the wrong time zone.
  clockErrorMs: weighted([4, 0], [2, -1_900], [2, 1_900], [1, 3 * 3_600_000]),
  webhook: weighted<ChangePlan['webhook']>([6, 'notification'], [3, 'activity'], [2, 'late'], [1, 'lost']),
  enqueueFails: rarely,
});

const delivery = command(
  'deliver',
  fc.record({
    worker,
    max: fc.constantFrom<1 | 2>(1, 2),
    faultKinds: fc.record({ 'QO-1': faultKind, 'QO-2': faultKind }),
    crash: fc.option(crash, { freq: 5, nil: undefined }),
    deletionLost: rarely,
    overtakenBy: fc.option(changePlan, { freq: 4, nil: undefined }),
  }),
  async (world, plan) => {
    // If the chosen queue is empty, deliver from the other one.
    const other = plan.worker === 'download' ? 'processing' : 'download';
    if ((await deliver(world, plan)) === 0) await deliver(world, { ...plan, worker: other });
  },
);
const changing = command('change', changePlan, change);
/** A change that is downloaded, and posted with a fault. The recorded state can then differ from the internal API's. */
const changingAndProcessing = command(
  'change and process',
  fc.record({ plan: changePlan, faultKind: weighted<FaultKind>([3, 'none'], [2, 'lost responses'], [1, 'outage']) }),
  async (world, { plan, faultKind: kind }) => {
    await change(world, plan);
    await deliver(world, { ...normalDelivery, worker: 'download', overtakenBy: undefined });
    const faultKinds = { 'QO-1': kind, 'QO-2': kind };
    await deliver(world, { ...normalDelivery, worker: 'processing', faultKinds, overtakenBy: undefined });
  },
);
const crashBeforeRead: Crash = { call: 'GetObject', when: 'before' };
/** The number of the receive that is overtaken, which can be the last, and the crash of that receive, if any. */
const overtakenReceive = fc.record({
  receives: fc.constantFrom(1, 2),
  crash: fc.oneof(
    fc.constant(undefined),
    { weight: 2, arbitrary: fc.constant<Crash>({ call: 'postOrder', when: 'after' }) },
    crash,
  ),
});
/** A change whose POST arrives after the POST of the next change. */
const overtaken = command(
  'change and be overtaken',
  fc.tuple(changePlan, changePlan, overtakenReceive),
  async (world, input) => {
    const [plan, next, { receives, crash: lastCrash }] = input;
    await change(world, { ...plan, enqueueFails: false });
    await deliver(world, { ...normalDelivery, worker: 'download', overtakenBy: undefined });
    const overtakenBy: ChangePlan = { ...next, id: plan.id, webhook: 'activity', enqueueFails: false };
    for (let receive = 1; receive < receives; receive++) {
      await deliver(world, { ...normalDelivery, worker: 'processing', crash: crashBeforeRead, overtakenBy: undefined });
    }
    await deliver(world, { ...normalDelivery, worker: 'processing', crash: lastCrash, overtakenBy });
  },
);
const commands = [
  ...[changing, changing, overtaken],
  ...[changingAndProcessing, changingAndProcessing, changingAndProcessing, changingAndProcessing],
  ...[delivery, delivery, delivery, delivery],
  command('send pending', fc.nat(), sendPending),
  command('repeat', fc.nat(), repeat),
  command('duplicate', fc.tuple(worker, fc.nat()), async ({ pipeline, received }, [of, index]) => {
    const body = received[of][index % Math.max(1, received[of].length)];
    if (body !== undefined) await pipeline.send(of, body);
  }),
  command('redeliver in another order', worker, async ({ pipeline }, of) =>
    pipeline.release(of, (await pipeline.receive(of, 10)).toReversed()),
  ),
  command('redrive', worker, ({ pipeline }, of) => pipeline.redrive(of)),
  command('replay', fc.tuple(id, fc.constantFrom('from Qualia', 'from raw', 'force')), (world, [of, kind]) =>
    replay(world, of, kind),
  ),
  command('reconcile', fc.constant(undefined), reconcile),
  command('deploy', fc.constant(undefined), deploy),
];

test(
  'after any sequence of events and faults, the internal API has the newest state of every order',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.commands(commands, { maxCommands: 30, size: 'max' })), async (sequence) => {
        const world = await startWorld();
        try {
          await fc.asyncModelRun(() => ({ model: {}, real: world }), sequence);
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

test('without faults, each downloaded change is posted once, and nothing else is posted', async () => {
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
              elapsedMs: 60_000,
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
});
