import { complaintsAbout } from '../../chaos/verdict';

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
const webhooks = { sent: 1, acknowledged: 1, refused: 0, astray: 0 };
const struck = {
  'kill webhook': 1,
  'kill download': 1,
  'kill processing': 1,
  'Qualia slow': 1,
  'internal API closed': 1,
};

test('a storm that struck with everything, and left every order processed, is well', () => {
  expect(complaintsAbout({ ledger, webhooks, struck })).toEqual([]);
});

test.each([
  ['The ledger does not balance.', { ledger: { ...ledger, balanced: false }, webhooks, struck }],
  ['Orders failed for good.', { ledger: { ...ledger, failed: 1 }, webhooks, struck }],
  ['Webhooks were answered otherwise', { ledger, webhooks: { ...webhooks, astray: 1 }, struck }],
  ['It never struck: Qualia slow.', { ledger, webhooks, struck: { ...struck, 'Qualia slow': 0 } }],
])('%s', (complaint, result) => {
  expect(complaintsAbout(result)).toEqual([expect.stringContaining(complaint)]);
});
