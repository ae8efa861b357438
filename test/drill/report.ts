import type { DrillResult } from './run-drill';

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
};

/** Whether every alarm fired, recovered, and has a runbook whose commands run and show the cause. */
export const havePassed = (results: readonly DrillResult[]): boolean =>
  results.every(({ faults }) => faults.length === 0);

const yes = (value: boolean): string => (value ? 'yes' : 'NO');

const toRow = ({ alarm, severity, cause, supplied, fired, commandsToCause, recovered }: DrillResult): string[] => {
  const broken = supplied === undefined ? cause : `${cause} (supplied: ${supplied})`;
  return [alarm, severity, yes(fired), String(commandsToCause ?? '-'), yes(recovered), broken];
};

const toTable = (rows: readonly (readonly string[])[]): string[] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};

/** The results as a table, the faults, and a summary. The last line counts each alarm as a test. */
export const describe = (results: readonly DrillResult[]): string => {
  const count = (test: (result: DrillResult) => boolean): number => results.filter(test).length;
  const commands = median(results.flatMap(({ commandsToCause }) => commandsToCause ?? []));
  return [
    ...toTable([['ALARM', 'SEVERITY', 'FIRED', 'COMMANDS', 'RECOVERED', 'CAUSE'], ...results.map(toRow)]),
    ...results.flatMap(({ alarm, faults }) => faults.map((fault) => `FAILED: ${alarm}: ${fault}`)),
    `${results.length} alarms: ${count(({ fired }) => fired)} fired, ${count(({ recovered }) => recovered)} recovered, median ${commands} commands to the cause`,
    `Tests: ${count(({ faults }) => faults.length === 0)} passed, ${count(({ faults }) => faults.length > 0)} failed, ${results.length} total`,
  ].join('\n');
};
