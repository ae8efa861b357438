import type { MetricsRecorder } from '../../shared/observability/metrics';

/** A recorder that keeps the added metrics, such as `OrderFailed` or `ApiRetry:qualia`, and the sums of their values. */
export const recordMetrics = () => {
  const added: string[] = [];
  const values = new Map<string, number>();
  let flushes = 0;
  const recorder: MetricsRecorder = {
    add: (name, value = 1) => {
      added.push(name);
      values.set(name, (values.get(name) ?? 0) + value);
    },
    fields: (counted, api) => {
      for (const [name, value] of Object.entries(counted)) {
        if (value === undefined) continue;
        added.push(api === undefined ? name : `${name}:${api}`);
        values.set(name, (values.get(name) ?? 0) + value);
      }
      return {};
    },
    flush: () => {
      flushes++;
    },
  };
  return { recorder, added, values, flushes: () => flushes };
};
