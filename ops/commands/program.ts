import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { type FaultKind, toServiceFault } from '../services/fault';
import { stages } from '../services/stage-connection';
import { addActionsCommand } from './actions';
import { addCompletionCommand } from './completion';
import { addConsoleCommand } from './console';
import { addDeadLetterCommands } from './dlq';
import { exitCodes, exitCodesHelp } from './exit-codes';
import { addExplainCommand } from './explain';
import { UsageError } from './input';
import { addIssueCommands } from './issues';
import { addLogsCommand } from './logs';
import { addMappingCommands } from './mapping';
import { addOrderCommands } from './orders';
import { addPauseCommands } from './pause';
import { addProveCommand } from './prove';
import { addReconcileCommand } from './reconcile';
import { addRehearseCommand } from './rehearse';
import { addStatusCommand } from './status';
import { addSyncCommands } from './sync';
import { createTerminal, oneLine, type Surroundings } from './terminal';
import { createAttach } from './verb';
import { addWebhookCommands } from './webhook';

const examples = `Examples:
  pipeline status --stage prod
  pipeline status --local --watch
  pipeline console --stage prod
  pipeline orders get QO-123456 --stage prod
  pipeline orders list --since 7d --json
  pipeline orders replay --status FAILED --since 24h --rate 5
  pipeline issues --stage prod
  pipeline explain QO-123456
  pipeline prove --since 24h
  pipeline mapping diff --since 30d --out affected.ids
  pipeline orders replay --from raw --ids affected.ids
  pipeline dlq redrive download --local
  pipeline webhook send --new --local
  pipeline sync start netlife --input run.json --watch
  pipeline logs order QO-123456 --since 7d
  pipeline pause processing --until 4h --reason 'internal API is moved'
  pipeline actions --since 30d`;

const exitCodeOf: Readonly<Record<FaultKind, number>> = {
  absent: exitCodes.failed,
  failed: exitCodes.failed,
  unreachable: exitCodes.unreachable,
};

/** Commander quotes what was typed, and can add a line with a suggestion. */
const linesOf = (message: string): string => message.split('\n').map(oneLine).join('\n');

/** @param finish receives the exit code of a verb */
export const createProgram = (surroundings: Surroundings, finish: (exitCode: number) => void): Command => {
  const program = new Command('pipeline')
    .description(
      'Operates the Marketplace Event Pipeline: see its state, look up and replay orders, prove that none is missing, inspect and redrive dead letters, run syncs, test the mapping, search the logs.',
    )
    .version(version)
    .option('--stage <stage>', stages.join(', '), 'dev')
    .option('--region <region>', 'AWS region; default: that of your AWS configuration')
    .option('--local', 'use the embedded AWS of `npm start` on this machine')
    .option('--state <folder>', 'state folder of that embedded AWS; implies --local')
    .option('--json', 'print one JSON document on stdout; messages on stderr')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText('after', `\n${examples}`)
    .addHelpText('afterAll', `\n${exitCodesHelp}`);
  const attach = createAttach(surroundings, finish);
  addStatusCommand(program, attach);
  addOrderCommands(program, attach, surroundings.now);
  addIssueCommands(program, attach, surroundings.now);
  addExplainCommand(program, attach, surroundings.now);
  addProveCommand(program, attach, surroundings.now);
  addDeadLetterCommands(program, attach);
  addWebhookCommands(program, attach, surroundings.now);
  addSyncCommands(program, attach);
  addMappingCommands(program, attach, surroundings.now);
  addLogsCommand(program, attach, surroundings.now);
  addPauseCommands(program, attach, surroundings.now);
  addReconcileCommand(program, attach);
  addRehearseCommand(program, attach);
  addActionsCommand(program, attach, surroundings.now);
  addConsoleCommand(program, attach);
  addCompletionCommand(program, attach);
  return program;
};

/**
 * The `pipeline` command.
 *
 * @param args the arguments after the command's name
 * @returns the exit code, one of {@link exitCodes}
 */
export const run = async (args: readonly string[], surroundings: Surroundings): Promise<number> => {
  const { error } = createTerminal(surroundings, args.includes('--json'));
  let exitCode: number = exitCodes.done;
  const program = createProgram(surroundings, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return exitCodes.done;
      // A command without a verb: Commander has printed its help.
      if (thrown.code !== 'commander.help') error(linesOf(thrown.message.replace(/^error: /, '')), { kind: 'usage' });
      return exitCodes.usage;
    }
    if (thrown instanceof UsageError) {
      error(thrown.message, { kind: 'usage', faults: thrown.faults });
      return exitCodes.usage;
    }
    const fault = toServiceFault(thrown);
    if (fault === undefined) throw thrown;
    error(oneLine(fault.message), { kind: fault.kind });
    return exitCodeOf[fault.kind];
  }
};
