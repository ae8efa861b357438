import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Environment variables of a Lambda besides its own. */
const lambdaVariables = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_LAMBDA_FUNCTION_NAME: 'bench',
  AWS_LAMBDA_LOG_LEVEL: 'INFO',
};

/**
 * Runs a CommonJS program in its own process, with only a Lambda's environment.
 *
 * @param program source that writes a number as the last output on standard error
 */
export const measureInFreshProcess = async (
  program: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<number> => {
  const { stderr } = await run(process.execPath, ['--input-type=commonjs', '--eval', program], {
    env: { ...lambdaVariables, ...environment },
    timeout: 30_000,
    maxBuffer: 10_000_000,
  });
  const value = Number(stderr.trim().split('\n').at(-1));
  if (!Number.isFinite(value)) throw new Error(`A measured process wrote no number: ${stderr}`);
  return value;
};

const startsPerRound = 3;

/**
 * Measures several things alternately, so that other load on the machine affects all of them equally.
 *
 * @returns for each name one value per round: the best of three, because interference can only make a start slower. The first
 * round warms the disk's cache and is left out
 */
export const measureInTurn = async <Name extends string>(
  rounds: number,
  measures: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Readonly<Record<Name, readonly number[]>>> => {
  const names = Object.keys(measures) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round++) {
    const best = new Map<Name, number>();
    for (let start = 0; start < startsPerRound; start++) {
      for (const name of names) best.set(name, Math.min(best.get(name) ?? Infinity, await measures[name]()));
    }
    if (round > 0) for (const [name, value] of best) values[name].push(value);
  }
  return values;
};
