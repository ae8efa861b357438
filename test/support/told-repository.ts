import type { OrderRepository } from '../../shared/orders/repository';
import { untold } from './untold';

/** A repository that knows only what it is told. */
export const toldRepository = (told: Partial<OrderRepository>): OrderRepository => ({
  read: untold('read'),
  startRound: untold('startRound'),
  recordDownload: untold('recordDownload'),
  recordProcessing: untold('recordProcessing'),
  recordFailure: untold('recordFailure'),
  requestRepost: untold('requestRepost'),
  recordDeferral: untold('recordDeferral'),
  ...told,
});
