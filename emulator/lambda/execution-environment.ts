import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Intercept, startCallProxies } from './call-proxies';
import { connectRuntime } from './runtime-channel';
import { traceOfInvocation } from './trace';

/** A Lambda function as its template describes it. */
export interface FunctionDefinition {
  readonly name: string;
  readonly arn: string;
  /** Folder that contains the bundle. */
  readonly codeDirectory: string;
  /** `file.export` */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly logFormat: 'JSON' | 'Text';
  /** Whether Lambda lets the function invoke itself in a loop through other services. */
  readonly recursiveLoop: 'Allow' | 'Terminate';
  /** The environment of its processes, without the variables that differ for each process. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The response to `Invoke`: the handler's result or the description of its failure, as JSON text. */
export interface InvocationResult {
  readonly payload: string;
  readonly functionError?: 'Unhandled';
}

/** One process that runs one function, one invocation at a time. */
export interface ExecutionEnvironment {
  /** Resolves with undefined when the handler is loaded, or with the failure to load it. */
  readonly initialized: Promise<InvocationResult | undefined>;
  /** Resolves when the process has exited. */
  readonly exited: Promise<void>;
  /**
   * Invokes the function. One invocation at a time. Never rejects: a crash and a timeout are results.
   * @param causes trace headers of the requests that caused the invocation
   */
  invoke(payload: string, causes?: readonly string[]): Promise<InvocationResult>;
  /** Kills the process. */
  stop(): Promise<void>;
}

/** The end of an invocation, for a meter. */
export interface InvocationEnd {
  readonly functionName: string;
  readonly durationMs: number;
}

/** Publishes each {@link InvocationEnd}. */
export const invocationEnds = channel('embedded-aws:invocation-end');

const runtimeLoop = path.join(__dirname, 'runtime-loop.cjs');
const initTimeoutMs = 10_000;

/**
 * Starts a process for `definition`. `onLine` receives every log line with its log stream, `intercept` every call that
 * the process makes.
 */
export const startExecutionEnvironment = async (
  definition: FunctionDefinition,
  onLine: (line: string, stream: string) => void,
  intercept?: Intercept,
): Promise<ExecutionEnvironment> => {
  const stream = newLogStreamName();
  const write = (line: string) => onLine(line, stream);
  const initialized = Promise.withResolvers<InvocationResult | undefined>();
  const exited = Promise.withResolvers<void>();
  let current:
    | {
        readonly requestId: string;
        readonly payload: string;
        readonly startedAt: number;
        settle(result: InvocationResult): void;
      }
    | undefined;
  let ready = Promise.withResolvers<void>();
  let isInitialized = false;

  const settle = (requestId: string, result: InvocationResult) => {
    if (current?.requestId === requestId) {
      const durationMs = performance.now() - current.startedAt;
      invocationEnds.publish({ functionName: definition.name, durationMs } satisfies InvocationEnd);
      current.settle(result);
      current = undefined;
    }
  };
  const proxies =
    intercept &&
    (await startCallProxies(definition, intercept, {
      event: () => current?.payload ?? '',
      kill: () => child.kill('SIGKILL'),
    }));
  const child = spawn(process.execPath, [...nodeArguments(definition.memoryMegabytes), runtimeLoop], {
    cwd: definition.codeDirectory,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...(proxies ?? definition).environment,
      PATH: process.env.PATH,
      AWS_LAMBDA_LOG_STREAM_NAME: stream,
    },
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output) {
      createInterface({ input: output }).on('line', write);
    }
  }
  const deliver = connectRuntime(child, {
    onNext() {
      isInitialized = true;
      initialized.resolve(undefined);
      ready.resolve();
    },
    onInitError: (payload) => initialized.resolve({ payload, functionError: 'Unhandled' }),
    onResponse: (requestId, payload) => settle(requestId, { payload }),
    onError: (requestId, payload) => settle(requestId, { payload, functionError: 'Unhandled' }),
  });

  const initTimer = setTimeout(() => child.kill('SIGKILL'), initTimeoutMs);
  void initialized.promise.then(() => clearTimeout(initTimer));

  const fail = (errorType: string, message: string): InvocationResult => {
    const requestId = current?.requestId ?? randomUUID();
    write(
      failureLine(
        definition,
        requestId,
        errorType,
        message,
        current ? Math.round(performance.now() - current.startedAt) : 0,
      ),
    );
    return {
      payload: JSON.stringify({ errorType, errorMessage: `RequestId: ${requestId} Error: ${message}` }),
      functionError: 'Unhandled',
    };
  };
  let timedOut: InvocationResult | undefined;
  const onExit = (reason: string) => {
    // Resolved first, so that the pool does not reuse this process when its last invocation settles.
    exited.resolve();
    ready.resolve();
    void proxies?.stop();
    const died = () => timedOut ?? fail('Runtime.ExitError', `Runtime exited with error: ${reason}`);
    if (current) {
      settle(current.requestId, died());
    } else if (!isInitialized) {
      initialized.resolve(died());
    }
  };
  child.once('error', (error) => onExit(error.message));
  child.once('exit', (code, signal) => onExit(signal ? `signal: ${signal}` : `exit status ${code}`));

  return {
    initialized: initialized.promise,
    exited: exited.promise,
    async invoke(payload, causes = []) {
      const requestId = randomUUID();
      const { promise, resolve } = Promise.withResolvers<InvocationResult>();
      await ready.promise;
      current = { requestId, payload, startedAt: performance.now(), settle: resolve };
      if (child.exitCode !== null || child.signalCode !== null) {
        settle(requestId, fail('Runtime.ExitError', 'Runtime exited before the invocation'));
        return promise;
      }
      ready = Promise.withResolvers();
      const timeoutMs = definition.timeoutSeconds * 1000;
      const timer = setTimeout(() => {
        const seconds = definition.timeoutSeconds.toFixed(2);
        timedOut = fail('Sandbox.Timedout', `Task timed out after ${seconds} seconds`);
        child.kill('SIGKILL');
      }, timeoutMs);
      deliver({
        requestId,
        payload,
        traceId: traceOfInvocation(definition.arn, causes),
        functionArn: definition.arn,
        deadlineMs: Date.now() + timeoutMs,
      });
      return promise.finally(() => clearTimeout(timer));
    },
    async stop() {
      child.kill('SIGKILL');
      await exited.promise;
    },
  };
};

/** With less memory, a function has less than one core. @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const fullCoreMegabytes = 1_769;

/**
 * Lambda's arguments for node: 5 % of the function's memory for a semi-space, 90 % for the old generation. In addition, a
 * function with less than one core collects garbage without helper threads.
 */
const nodeArguments = (memoryMegabytes: number): string[] => [
  '--expose-gc',
  '--max-http-header-size=81920',
  `--max-semi-space-size=${Math.floor(memoryMegabytes * 0.05)}`,
  `--max-old-space-size=${Math.floor(memoryMegabytes * 0.9)}`,
  ...(memoryMegabytes < fullCoreMegabytes ? ['--single-threaded-gc'] : []),
];

const newLogStreamName = (): string => {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return `${day}/[$LATEST]${randomBytes(16).toString('hex')}`;
};

/** The log line that Lambda writes when it ends an invocation. */
const failureLine = (
  definition: FunctionDefinition,
  requestId: string,
  errorType: string,
  message: string,
  durationMs: number,
): string => {
  const time = new Date().toISOString();
  if (definition.logFormat === 'Text') {
    return `${time} ${requestId} ${message}`;
  }
  const status = errorType === 'Sandbox.Timedout' ? 'timeout' : 'error';
  const metrics = { durationMs, memorySizeMB: definition.memoryMegabytes };
  return JSON.stringify({ time, type: 'platform.report', record: { requestId, status, errorType, metrics } });
};
