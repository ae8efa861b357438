import { createColors } from 'picocolors';
import { renderStatus, toStatusDocument } from '../../../../ops/commands/status-view';
import { findingsOf } from '../../../../ops/services/status/findings';
import type { Status } from '../../../../ops/services/status/status';
import { at, heldByCircuit, minutesAgo, statusOf, waitingSince } from '../services/status/status-fixture';

const linesOf = (status: Status): string[] =>
  renderStatus(status, findingsOf(status), 'prod', 'pipeline --stage prod', createColors(false)).split('\n');

const outage = statusOf({
  queues: {
    value: [
      { worker: 'download', waiting: 0, inFlight: 1, delayed: 7, deadLetters: 0 },
      { worker: 'processing', waiting: 30, inFlight: 0, delayed: 0, deadLetters: 0 },
    ],
  },
  waiting: {
    value: Array.from({ length: 8 }, (_, index) =>
      waitingSince(`QO-${index}`, 22 - index, heldByCircuit(new Date(at.getTime() + 25_000))),
    ),
  },
  circuits: { value: [{ worker: 'download', isOpen: true, openSince: minutesAgo(22) }] },
  releases: {
    missing: 'AWS refused (AccessDenied): not allowed to call lambda:GetFunctionConfiguration on any resource',
  },
});

test('a stage that is well fits one screen of 80 columns', () => {
  const lines = linesOf(statusOf());
  expect(lines[0]).toMatch(/^prod {2}2026-01-31 12:00:00 UTC +ALL WELL$/);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.length).toBeLessThanOrEqual(24);
});

test('an outage shows what waits, why, and when it is tried next', () => {
  const lines = linesOf(outage);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.slice(0, 5)).toEqual([
    expect.stringMatching(/ RED$/),
    '! download makes no calls: Qualia has failed for 22 minutes.',
    '  pipeline --stage prod logs retries --since 1h',
    '! 7 orders open for over 15 minutes, the oldest for 22 minutes.',
    '  pipeline --stage prod orders trace QO-0',
  ]);
  expect(lines).toContain('OPEN ORDERS  WAIT FOR                           COUNT  OLDEST   NEXT ATTEMPT');
  expect(lines).toContain('download     open circuit, API_UNAVAILABLE 503  8      22m 00s  in 25s');
  expect(lines).toContainEqual(expect.stringMatching(/^download {4}0 +1 +7 +22m 00s +2\/min +4m 00s +0$/));
});

test('the JSON document has the same content', () => {
  expect(toStatusDocument(outage, findingsOf(outage))).toMatchObject({
    stage: 'prod',
    red: true,
    waiting: {
      orders: 8,
      groups: [{ worker: 'download', error_code: 'API_UNAVAILABLE 503', held_by_circuit: true, orders: 8 }],
    },
    releases: { missing: expect.stringContaining('AccessDenied') },
  });
});
