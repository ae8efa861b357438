import type { StormResult } from './storm';

/** What is wrong with how a storm ended, as sentences; nothing, when all is well. Each fault of a storm passes. */
export const complaintsAbout = ({
  ledger,
  webhooks,
  struck,
}: Pick<StormResult, 'ledger' | 'webhooks' | 'struck'>): string[] => [
  ...(ledger.balanced ? [] : ['The ledger does not balance.']),
  ...(ledger.failed > 0 ? ['Orders failed for good.'] : []),
  ...(webhooks.astray > 0 ? ['Webhooks were answered otherwise than they should be.'] : []),
  ...Object.entries(struck).flatMap(([trouble, times]) => (times > 0 ? [] : [`It never struck: ${trouble}.`])),
];
