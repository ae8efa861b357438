import type { MetricsRecorder } from '../../shared/observability/metrics';

/** A recorder that keeps what it is told, such as `OrderFailed` or `ApiRetry:qualia`. */
export const recordMetrics = () => {
  const added: string[] = [];
  const values = new Map<string, number>();
  let flushes = 0;
  const recorder: MetricsRecorder = {
    add: (name, value = 1) => {
      added.push(name);
      values.set(name, value);
    },
    addForApi: (name, api) => {
      added.push(`${name}:${api}`);
    },
    flush: () => {
      flushes++;
    },
  };
  return { recorder, added, values, flushes: () => flushes };
};
