import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { type FaultKind, toServiceFault } from '../services/fault';
import { stages } from '../services/stage-connection';
import { addDeadLetterCommands } from './dlq';
import { exitCodes, exitCodesHelp } from './exit-codes';
import { UsageError } from './input';
import { addLogsCommand } from './logs';
import { addMappingCommands } from './mapping';
import { addOrderCommands } from './orders';
import { addProveCommand } from './prove';
import { addSyncCommands } from './sync';
import { createTerminal, oneLine, type Surroundings } from './terminal';
import { createAttach } from './verb';

const examples = `Examples:
  pipeline orders get QO-123456 --stage prod
  pipeline orders list --since 7d --json
  pipeline orders replay --status FAILED --since 24h --rate 5
  pipeline prove --since 24h
  pipeline mapping diff --since 30d --out affected.ids
  pipeline orders replay --from raw --ids affected.ids
  pipeline dlq redrive download --local
  pipeline sync start netlife --input run.json --watch
  pipeline logs order QO-123456 --since 7d`;

const exitCodeOf: Readonly<Record<FaultKind, number>> = {
  absent: exitCodes.failed,
  failed: exitCodes.failed,
  unreachable: exitCodes.unreachable,
};

/** Commander quotes what was typed, and can add a line with a suggestion. */
const linesOf = (message: string): string => message.split('\n').map(oneLine).join('\n');

const createProgram = (surroundings: Surroundings, finish: (exitCode: number) => void): Command => {
  const program = new Command('pipeline')
    .description(
      'Operates the Marketplace Event Pipeline: look up and replay orders, prove that none is missing, redrive dead-letter queues, run syncs, test the mapping, search the logs.',
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
  addOrderCommands(program, attach, surroundings.now);
  addProveCommand(program, attach, surroundings.now);
  addDeadLetterCommands(program, attach);
  addSyncCommands(program, attach);
  addMappingCommands(program, attach, surroundings.now);
  addLogsCommand(program, attach, surroundings.now);
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
