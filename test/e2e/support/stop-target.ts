import { faultOfLine } from './log-lines';
import { lambdaLogGroups, search } from './logs';
import './start-target';

/** Looks at every line that the suite caused, stops what was started, and removes its state. */
export default async (): Promise<void> => {
  const running = globalThis.e2eTarget;
  if (running === undefined) return;
  try {
    await checkLogLines();
  } finally {
    await running.stop();
  }
};

/** @throws {Error} naming the lines that are not as promised */
const checkLogLines = async (): Promise<void> => {
  const sinceMs = Date.now() - process.uptime() * 1_000;
  const lines = await search('fields @message', { logGroupNames: await lambdaLogGroups(), sinceMs });
  const faults = lines.flatMap((row) => faultOfLine(row['@message'] ?? '') ?? []);
  if (faults.length > 0) throw new Error(`Log lines are not as promised:\n${faults.slice(0, 10).join('\n\n')}`);
};
