import * as fc from 'fast-check';
import { unreadable } from '../../../../shared/orders/queries';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { orderId } from '../../../support/orders';
import { createReconcilerWorld, hourMs, minuteMs } from '../../../support/reconciler';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

test('an order in no list whose message was never sent gets a round within a day', async () => {
  const world = createReconcilerWorld();
  await world.invoke();
  world.notified('unlisted');
  let hours = 0;
  do {
    world.advance(hourMs);
    hours += 1;
    await world.invoke();
  } while (hours < 30 && !world.startedIds().includes('unlisted'));
  expect(hours).toBeLessThanOrEqual(24);
});

test('the order is tracked until its round has ended, and then forgotten', async () => {
  const world = createReconcilerWorld();
  world.notified('unlisted', hourMs);
  expect(await world.invoke()).toMatchObject({ known: 1, stuck: 1, left: 0, drifted_unnoticed: 0 });
  // The message of that round is lost too.
  world.advance(2 * hourMs);
  expect(await world.invoke()).toMatchObject({ known: 1, stuck: 1 });
  world.advance(hourMs);
  world.processed('unlisted');
  await world.invoke();
  for (let hour = 0; hour < 25; hour++) {
    world.advance(hourMs);
    expect(await world.invoke()).toMatchObject({ known: 0, stuck: 0 });
  }
});

test('an unreadable item of an order in no list gets a round', async () => {
  const world = createReconcilerWorld();
  world.table.set(orderId('unlisted'), unreadable);
  expect(await world.invoke()).toMatchObject({ unreadable: 1 });
  expect(world.startedIds()).toEqual(['unlisted']);
});

test('orders that may still have their message are left alone', async () => {
  const world = createReconcilerWorld();
  world.notified('new', 15 * minuteMs);
  world.notified('deferred', hourMs, { not_before: new Date(world.now() + minuteMs).toISOString() });
  world.processed('done', hourMs);
  expect(await world.invoke()).toMatchObject({ known: 0 });
  expect(world.started).toEqual([]);
});

test('a listed order is judged once', async () => {
  const world = createReconcilerWorld();
  world.open.set('listed', 'status-1');
  world.notified('listed', hourMs);
  expect(await world.invoke()).toMatchObject({ known: 1, stuck: 1 });
  expect(world.startedIds()).toEqual(['listed']);
});

test('a scan continues through invocations, at four pages per second, whichever of them ends early', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 60 }),
      fc.array(fc.integer({ min: 60_001, max: 62_000 }), { maxLength: 8 }),
      async (orders, turnsMs) => {
        const world = createReconcilerWorld();
        for (let index = 0; index < orders; index++) world.notified(`order-${index}`, hourMs);
        const started = new Set<string>();
        let report = await world.invoke({}, turnsMs[0]);
        for (let turn = 1; ; turn++) {
          for (const id of world.startedIds()) started.add(id);
          if (!(report as { readonly outcome: string }).outcome.startsWith('continues')) break;
          report = await world.deliver(turnsMs[turn]);
        }
        expect(report).toMatchObject({ outcome: 'complete' });
        expect(started.size).toBe(orders);
      },
    ),
    { numRuns: 30 },
  );
});
