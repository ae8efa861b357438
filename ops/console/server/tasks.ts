import { randomUUID } from 'node:crypto';
import { toServiceFault } from '../../services/fault';

/** Work of the console that takes longer than a request, such as a replay. Ends with the console at the latest. */
export interface Task {
  readonly id: string;
  /** The words of the command that does the same. */
  readonly verb: string;
  /** What it does, in a few words. */
  readonly title: string;
  readonly state: 'running' | 'done' | 'failed' | 'interrupted';
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly done: number;
  readonly total: number;
  /** Sentences about its state, or about its end. */
  readonly notes: readonly string[];
}

/** How a task ended. */
export interface TaskEnd {
  readonly state: Exclude<Task['state'], 'running'>;
  readonly notes: readonly string[];
}

/** With what the work of a task reports, and is stopped. */
export interface TaskControl {
  readonly signal: AbortSignal;
  /** @param done number of things that have ended */
  readonly report: (done: number) => void;
  /** Shows a sentence until the task ends. */
  readonly note: (sentence: string) => void;
}

/** Maximum number of tasks that are remembered. */
const maxKept = 20;

/** The tasks of a console, in memory. */
export const createTasks = (now: () => number) => {
  const tasks = new Map<string, { task: Task; readonly stop: AbortController }>();
  const isoNow = (): string => new Date(now()).toISOString();

  return {
    /** The newest first. */
    list: (): readonly Task[] => [...tasks.values()].map(({ task }) => task).reverse(),

    /** Starts work, and does not wait for its end. */
    start: (
      about: Pick<Task, 'verb' | 'title' | 'total'>,
      work: (control: TaskControl) => Promise<TaskEnd>,
    ): { readonly task: Task; readonly ended: Promise<void> } => {
      const stop = new AbortController();
      const task: Task = {
        id: randomUUID(),
        ...about,
        state: 'running',
        started_at: isoNow(),
        ended_at: null,
        done: 0,
        notes: [],
      };
      const entry = { task, stop };
      const update = (changes: Partial<Task>): void => {
        entry.task = { ...entry.task, ...changes };
      };
      tasks.set(task.id, entry);
      const [oldest] = [...tasks.values()].filter((kept) => kept.task.state !== 'running');
      if (tasks.size > maxKept && oldest) tasks.delete(oldest.task.id);
      const control: TaskControl = {
        signal: stop.signal,
        report: (done) => update({ done }),
        note: (sentence) => update({ notes: [sentence] }),
      };
      const ended = work(control).then(
        (end) => update({ ...end, ended_at: isoNow() }),
        (thrown: unknown) => {
          const fault = toServiceFault(thrown);
          if (fault === undefined) console.error(thrown);
          const note = fault?.message ?? 'The console failed. The error is in the terminal in which it runs.';
          update({ state: 'failed', notes: [note], ended_at: isoNow() });
          throw thrown;
        },
      );
      // The request that waits for the beginning of the task gets the error too.
      ended.catch(() => undefined);
      return { task, ended };
    },

    /** Stops a task. @returns false if there is none */
    stop: (id: string): boolean => {
      const entry = tasks.get(id);
      entry?.stop.abort();
      return entry !== undefined;
    },

    /** Stops all tasks. */
    stopAll: (): void => {
      for (const { stop } of tasks.values()) stop.abort();
    },
  };
};

export type Tasks = ReturnType<typeof createTasks>;
