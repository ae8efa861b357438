import type { OrderRepository } from '../../shared/orders/repository';
import { unconfigured } from './unconfigured';

/** A repository with the given functions. The others throw. */
export const fakeRepository = (functions: Partial<OrderRepository>): OrderRepository => ({
  read: unconfigured('read'),
  startRound: unconfigured('startRound'),
  recordDownload: unconfigured('recordDownload'),
  recordProcessing: unconfigured('recordProcessing'),
  recordFailure: unconfigured('recordFailure'),
  requestRepost: unconfigured('requestRepost'),
  recordDeferral: unconfigured('recordDeferral'),
  ...functions,
});
