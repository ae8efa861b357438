import { problemsOf } from '../../chaos/problems';

const ledger = {
  acknowledged: 1,
  processed: 1,
  failed: 0,
  in_dlq: 0,
  lost: 0,
  stale: 0,
  doubled: 0,
  unannounced: 0,
  messages_left: 0,
  balanced: true,
};
const webhooks = { sent: 1, acknowledged: 1, refused: 0, unexpected: 0 };
const disturbances = {
  'kill webhook': 1,
  'kill download': 1,
  'kill processing': 1,
  'Qualia slow': 1,
  'internal API closed': 1,
};

test('a storm with every disturbance and all orders processed has no problems', () => {
  expect(problemsOf({ ledger, webhooks, disturbances })).toEqual([]);
});

test.each([
  ['The ledger does not balance.', { ledger: { ...ledger, balanced: false }, webhooks, disturbances }],
  ['Orders failed permanently.', { ledger: { ...ledger, failed: 1 }, webhooks, disturbances }],
  ['Webhooks got an unexpected response.', { ledger, webhooks: { ...webhooks, unexpected: 1 }, disturbances }],
  ['It never occurred: Qualia slow.', { ledger, webhooks, disturbances: { ...disturbances, 'Qualia slow': 0 } }],
])('reports: %s', (problem, result) => {
  expect(problemsOf(result)).toEqual([expect.stringContaining(problem)]);
});
