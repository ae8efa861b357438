import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { type ActionSubject, type ChangeEnd, recordChange } from '../../services/actions';
import type { Console } from './console';
import { ConsoleFault } from './faults';
import type { Task, TaskControl, TaskEnd } from './tasks';

const longestReason = 200;

/** What the body of every request that changes something contains. */
export const changeSchema = z.object({
  /** Why the operator acts. Required, except locally. */
  reason: z.string().trim().max(longestReason, `must have at most ${longestReason} characters`).default(''),
  /** The name of the stage: required for a bulk action on prod. */
  confirmed_stage: z.string().optional(),
});

/** The parsed part of a body that {@link changeSchema} describes. */
export type ChangeInput = z.output<typeof changeSchema>;

/** A change to record. */
interface ChangeOf<Work> extends ChangeInput {
  readonly subject: ActionSubject;
  readonly work: Work;
}

/** Does work that changes something, and records it. `work` gets the caller's ARN. */
type RunChange = <T>(change: ChangeOf<(by: string) => Promise<T>>) => Promise<T>;

/** Starts work that takes longer than a request, and records it when it ends. Returns as soon as it has begun. */
type RunTask = (
  change: ChangeOf<(control: TaskControl) => Promise<TaskEnd>> & Pick<Task, 'title' | 'total'>,
) => Promise<Task>;

/** How a verb changes the stage. */
interface ChangeRules {
  /** Whether it changes many things at once. */
  readonly isBulk?: boolean;
  /** It changes nothing but is recorded, because it shows personal data: a console that is read-only allows it. */
  readonly isReading?: boolean;
}

/**
 * Every route that changes something starts with it. Refuses if the console is read-only; `c.var.change` or `c.var.task`
 * then does the work and records it, as `pipeline` does.
 *
 * @param verb the words of the `pipeline` command that does the same, such as `orders replay`
 */
export const changing = (
  { stage, now, write, tasks }: Console,
  verb: string,
  { isBulk = false, isReading = false }: ChangeRules = {},
) => {
  const check = ({ reason, confirmed_stage }: ChangeInput): void => {
    if (reason === '' && !stage.local) throw new ConsoleFault('usage', 'reason is missing.', ['reason is missing']);
    if (isBulk && stage.name === 'prod' && !stage.local && confirmed_stage !== stage.name) {
      throw new ConsoleFault('usage', 'Type the name of the stage.', ['confirmed_stage must be prod']);
    }
  };
  const record = <T>({ reason, subject }: ChangeOf<unknown>, work: (by: string) => Promise<ChangeEnd<T>>): Promise<T> =>
    recordChange(stage, { verb, reason: reason || 'local' }, now, async (beginChange) =>
      work(await beginChange(subject)),
    );

  const change: RunChange = async (of) => {
    check(of);
    return record(of, async (by) => ({ outcome: 'done', result: await of.work(by) }));
  };
  const task: RunTask = async (of) => {
    check(of);
    const begun = Promise.withResolvers<void>();
    const { task: started, ended } = tasks.start({ verb, title: of.title, total: of.total }, (control) =>
      record(of, async () => {
        begun.resolve();
        const end = await of.work(control);
        return { outcome: end.state, result: end };
      }),
    );
    await Promise.race([begun.promise, ended]);
    return started;
  };
  return createMiddleware<{ Variables: { change: RunChange; task: RunTask } }>(async (c, next) => {
    if (!write && !isReading) {
      throw new ConsoleFault('read-only', 'This console is read-only. Start it with `pipeline console --write`.');
    }
    c.set('change', change);
    c.set('task', task);
    await next();
  });
};
