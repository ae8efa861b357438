import { join } from 'node:path';
import { allows, readCalls } from '../../support/calls';
import { readRoles } from '../../support/roles';
import { faultOfLine } from './log-lines';
import { lambdaLogGroups, mostRows, search } from './logs';
import './start-target';

/** Looks at every line and every call that the suite caused, stops what was started, and removes its state. */
export default async (): Promise<void> => {
  const running = globalThis.e2eTarget;
  if (running === undefined) return;
  try {
    await checkLogLines();
    checkCalls(running.stateDirectory);
  } finally {
    await running.stop();
  }
};

/** @throws {Error} naming the lines that are not as promised */
const checkLogLines = async (): Promise<void> => {
  const sinceMs = Date.now() - process.uptime() * 1_000;
  const lines = await search('fields @message', { logGroupNames: await lambdaLogGroups(), sinceMs });
  // A query gives no more than these: the rest would go unseen.
  if (lines.length === mostRows) throw new Error(`There are ${mostRows} log lines or more: look at them in pieces.`);
  const faults = lines.flatMap((row) => faultOfLine(row['@message'] ?? '') ?? []);
  if (faults.length > 0) throw new Error(`Log lines are not as promised:\n${faults.slice(0, 10).join('\n\n')}`);
};

/** @throws {Error} naming the calls to AWS that a Lambda made and its role does not allow */
const checkCalls = (stateDirectory: string): void => {
  const calls = readCalls(join(stateDirectory, 'calls.ndjson'));
  if (calls.length === 0) throw new Error('No call to AWS was recorded.');
  const { functions } = readRoles(join(__dirname, '../../../cdk.out'));
  const refused = calls.filter((call) => !functions.get(call.functionName)?.some((grant) => allows(grant, call)));
  if (refused.length > 0) {
    const lines = refused.map(({ functionName, action, resource }) => `${functionName}: ${action} ${resource}`);
    throw new Error(`Roles do not allow what was called:\n${lines.join('\n')}`);
  }
};
