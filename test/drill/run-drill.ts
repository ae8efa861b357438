import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { exitCodes } from '../../ops/commands/exit-codes';
import { argumentsOf, type Placeholders, readRunbookBlocks } from '../support/runbook';
import type { Drill } from './drill';
import type { Notification, Severity } from './notifications';
import type { DrillStage } from './stage';

/** How the drill of one alarm ended. */
export interface DrillResult {
  readonly alarm: string;
  readonly severity: Severity;
  readonly cause: string;
  readonly supplied?: string | undefined;
  readonly fired: boolean;
  readonly recovered: boolean;
  /** Number of runbook commands until one shows the cause; undefined if none does. */
  readonly commandsToCause: number | undefined;
  /** The runbook commands with their output. */
  readonly transcript: string;
  /** What failed; empty if the drill passed. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

/** Commands that exit 1 because they found what is wrong. */
const findsFaults = /^(status|prove)\b/;

/** Steps of the clock of CloudWatch, in minutes, until an alarm has changed: small ones first. */
const steps = [1, 1, 1, 1, 1, 5, 5, 15, 30, 60, 60, 60, 120, 240, 480, 600];

/** The states that an alarm has notified of, oldest first. */
const statesOf = (name: string, sent: readonly Notification[]): string[] =>
  sent.flatMap(({ alarm, state }) => (alarm === name ? state : []));

const hasFired = (states: readonly string[]): boolean => states.includes('ALARM');
/** An alarm can recover by itself, and fire again, before the cause is removed. */
const hasRecovered = (states: readonly string[]): boolean => hasFired(states) && states.at(-1) === 'OK';

const severityOf = ({ AlarmActions = [] }: MetricAlarm): Severity =>
  AlarmActions.some((arn) => arn.endsWith('-page')) ? 'page' : 'ticket';

const headingOf = ({ AlarmDescription = '' }: MetricAlarm): string =>
  /docs\/runbook\.md#(\S+)$/.exec(AlarmDescription)?.[1] ?? '';

/** Runs commands of the runbook, as printed. */
const runCommands = async (stage: DrillStage, commands: readonly string[], placeholders: Placeholders) => {
  const faults: string[] = [];
  const transcript: string[] = [];
  const outputs: string[] = [];
  for (const command of commands) {
    const args = argumentsOf(command, placeholders);
    const { exitCode, stdout, stderr } = await stage.operate(args);
    transcript.push(`$ ${command}`, stdout, stderr);
    const mayFail = findsFaults.test(args.filter((word) => !['--stage', 'prod'].includes(word)).join(' '));
    const ran = exitCode === exitCodes.done || (exitCode === exitCodes.failed && mayFail);
    if (!ran) faults.push(`exit code ${exitCode}: ${command}\n${stderr}`);
    outputs.push(stdout);
  }
  return { faults, outputs, transcript: transcript.join('\n') };
};

/** Looks for the cause with the commands under a runbook heading. */
const look = async (stage: DrillStage, heading: string, evidence: RegExp, placeholders: Placeholders) => {
  const commands = readRunbookBlocks().get(heading)?.look ?? [];
  const { faults, outputs, transcript } = await runCommands(stage, commands, placeholders);
  const found = outputs.findIndex((output) => evidence.test(output));
  if (commands.length === 0) faults.push(`the runbook has no command under #${heading}`);
  else if (found < 0) faults.push(`no command shows ${evidence}:\n${transcript}`);
  return { faults, commandsToCause: found < 0 ? undefined : found + 1, transcript };
};

/** Runs what the headings print to repair it, once per heading. */
const repair = async (stage: DrillStage, alarms: readonly MetricAlarm[], placeholders: Placeholders) => {
  const results = new Map<string, Awaited<ReturnType<typeof runCommands>>>();
  for (const heading of new Set(alarms.map(headingOf))) {
    const commands = readRunbookBlocks().get(heading)?.fix ?? [];
    results.set(heading, await runCommands(stage, commands, placeholders));
  }
  return results;
};

/** Breaks what the alarms watch, and follows each until it has recovered. A drill that throws is a result, too. */
export const runDrill = async (stage: DrillStage, drill: Drill): Promise<DrillResult[]> => {
  try {
    return await follow(stage, drill);
  } catch (error) {
    const alarms = (await stage.alarms()).map((alarm) => ({ alarm, name: stage.shortNameOf(alarm) }));
    return alarms
      .filter(({ name }) => name in drill.alarms)
      .map(({ alarm, name }) => ({
        alarm: name,
        severity: severityOf(alarm),
        cause: drill.cause,
        fired: false,
        recovered: false,
        commandsToCause: undefined,
        transcript: '',
        faults: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
        seconds: 0,
      }));
  }
};

const follow = async (stage: DrillStage, drill: Drill): Promise<DrillResult[]> => {
  const startedAtMs = Date.now();
  const names = Object.keys(drill.alarms).map(stage.nameOf);
  let before = 0;
  const read = async (): Promise<readonly MetricAlarm[]> =>
    (await stage.alarms()).filter(({ AlarmName = '' }) => names.includes(AlarmName));

  /**
   * Advances the clock until every alarm has notified of such states since the start of the drill.
   *
   * @returns the alarms that have
   */
  const advanceUntil = async (isSo: (states: readonly string[]) => boolean): Promise<ReadonlySet<string>> => {
    const reached = async (): Promise<ReadonlySet<string>> => {
      const sent = (await stage.notifications()).slice(before);
      return new Set(names.filter((name) => isSo(statesOf(name, sent))));
    };
    for (const minutes of steps) {
      if ((await reached()).size === names.length) break;
      await stage.aws.advance(minutes);
    }
    return reached();
  };

  await stage.aws.advance(1);
  if ((await read()).some(({ StateValue }) => StateValue !== 'OK')) {
    await drill.fix(stage);
    for (const minutes of steps) {
      if ((await read()).every(({ StateValue }) => StateValue === 'OK')) break;
      await stage.aws.advance(minutes);
    }
  }

  before = (await stage.notifications()).length;
  const placeholders = await drill.break(stage);
  const fired = await advanceUntil(hasFired);
  const alarms = await read();
  const looks = await Promise.all(
    alarms.map(async (alarm) => {
      const name = stage.shortNameOf(alarm);
      const evidence = drill.alarms[name] ?? /$^/;
      return { alarm, name, ...(await look(stage, headingOf(alarm), evidence, placeholders)) };
    }),
  );
  await drill.fix(stage);
  const repairs = await repair(stage, alarms, placeholders);
  const recovered = await advanceUntil(hasRecovered);
  const sent = (await stage.notifications()).slice(before);
  const isOk = new Set((await read()).flatMap(({ AlarmName, StateValue }) => (StateValue === 'OK' ? AlarmName : [])));

  return looks.map(({ alarm, name, faults, commandsToCause, transcript }) => {
    const { AlarmName = '' } = alarm;
    const severity = severityOf(alarm);
    const isRecovered = recovered.has(AlarmName) && isOk.has(AlarmName);
    const repaired = repairs.get(headingOf(alarm));
    const misdirected = sent.filter(({ alarm, topic }) => alarm === AlarmName && topic !== severity);
    return {
      alarm: name,
      severity,
      cause: drill.cause,
      supplied: drill.supplied,
      fired: fired.has(AlarmName),
      recovered: isRecovered,
      commandsToCause,
      transcript: [transcript, repaired?.transcript ?? ''].join('\n'),
      faults: [
        ...(fired.has(AlarmName) ? [] : [`no ALARM reached the topic ${severity}`]),
        ...(isRecovered ? [] : [`it has not recovered: ${statesOf(AlarmName, sent).join(', ')}`]),
        ...misdirected.map(({ topic }) => `a notification reached the topic ${topic}`),
        ...faults,
        ...(repaired?.faults ?? []),
      ],
      seconds: (Date.now() - startedAtMs) / 1_000,
    };
  });
};
