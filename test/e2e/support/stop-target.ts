import { join } from 'node:path';
import { allows, readCalls } from '../../support/calls';
import { readRoles } from '../../support/roles';
import { faultOfLine } from './log-lines';
import { lambdaLogGroups, maxRows, search } from './logs';
import './start-target';

/** Checks all log lines and calls that the suite caused, stops the target, and removes its state. */
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

/** @throws {Error} that lists the lines that break the contract */
const checkLogLines = async (): Promise<void> => {
  const sinceMs = Date.now() - process.uptime() * 1_000;
  const lines = await search('fields @message', { logGroupNames: await lambdaLogGroups(), sinceMs });
  // A query returns at most this number of lines. Further lines would not be checked.
  if (lines.length === maxRows)
    throw new Error(`There are ${maxRows} log lines or more: check them in several queries.`);
  const faults = lines.flatMap((row) => faultOfLine(row['@message'] ?? '') ?? []);
  if (faults.length > 0) throw new Error(`Log lines break the contract:\n${faults.slice(0, 10).join('\n\n')}`);
};

/** @throws {Error} that lists AWS calls that a Lambda's role does not allow */
const checkCalls = (stateDirectory: string): void => {
  const calls = readCalls(join(stateDirectory, 'calls.ndjson'));
  if (calls.length === 0) throw new Error('No call to AWS was recorded.');
  const { functions } = readRoles(join(__dirname, '../../../cdk.out'));
  const refused = calls.filter((call) => !functions.get(call.functionName)?.some((grant) => allows(grant, call)));
  if (refused.length > 0) {
    const lines = refused.map(({ functionName, action, resource }) => `${functionName}: ${action} ${resource}`);
    throw new Error(`Roles do not allow these calls:\n${lines.join('\n')}`);
  }
};
