import { once } from 'node:events';
import path from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { LoopbackServer } from './loopback-server';
import { StateError } from './state-files';

/** What a thread runs. */
interface ServiceThreadOptions<Options> {
  /** For messages, and for the list of threads in a debugger. */
  readonly name: string;
  /** The file that calls {@link serveInThread}. */
  readonly program: string;
  /** The packages of the program that take long to load. */
  readonly packages: readonly string[];
  /** Passed on to the program; must be cloneable. */
  readonly options: Options;
}

/** The first message of a thread. */
type Listening = Pick<LoopbackServer, 'port' | 'url'>;

/**
 * Runs a service in its own thread, so that it uses its own core. Clients call its port directly. When the thread
 * fails, its error ends this process as an uncaught exception: the services share a state directory, and none continues
 * without the others.
 * @throws the error with which the service fails to start
 */
export const startServiceThread = <Options>(thread: ServiceThreadOptions<Options>): Promise<LoopbackServer> => {
  const { name } = thread;
  // The arguments of this process would load tsx before the packages, see `thread-start.cjs`.
  const worker = new Worker(path.join(__dirname, 'thread-start.cjs'), { name, workerData: thread, execArgv: [] });
  return new Promise((resolve, reject) => {
    let fail: (error: unknown) => void = reject;
    worker.once('message', ({ port, url }: Listening) => {
      fail = (error) =>
        process.nextTick(() => {
          throw error;
        });
      const stop = async () => {
        fail = () => undefined;
        worker.postMessage('stop');
        await once(worker, 'exit');
      };
      resolve({ port, url, stop });
    });
    worker.once('error', (error) => fail(fromThread(error)));
    worker.once('exit', (code) => fail(new Error(`The thread ${name} ended with ${code}`)));
  });
};

/** An error loses its class between threads, but keeps its name. */
const fromThread = (error: unknown): unknown =>
  error instanceof Error && error.name === StateError.name
    ? new StateError(error.message, { cause: error.cause })
    : error;

/**
 * Serves in this thread, which {@link startServiceThread} started, until it is stopped.
 * @param start starts the service with the options of the thread
 */
export const serveInThread = async <Options>(start: (options: Options) => Promise<LoopbackServer>): Promise<void> => {
  if (parentPort === null) {
    throw new Error('This file runs only in a thread of startServiceThread.');
  }
  const { port, url, stop } = await start(workerData.options);
  parentPort.postMessage({ port, url } satisfies Listening);
  await once(parentPort, 'message');
  await stop();
  // Ends only this thread.
  process.exit();
};
