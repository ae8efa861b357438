import type { StormResult } from './storm';

/** Returns a sentence for each reason why a storm failed the test; none if it passed. */
export const problemsOf = ({
  ledger,
  webhooks,
  disturbances,
}: Pick<StormResult, 'ledger' | 'webhooks' | 'disturbances'>): string[] => [
  ...(ledger.balanced ? [] : ['The ledger does not balance.']),
  // All faults of a storm are temporary, so no order may fail permanently.
  ...(ledger.failed > 0 ? ['Orders failed permanently.'] : []),
  ...(webhooks.unexpected > 0 ? ['Webhooks got an unexpected response.'] : []),
  ...Object.entries(disturbances).flatMap(([name, count]) => (count > 0 ? [] : [`It never occurred: ${name}.`])),
];
