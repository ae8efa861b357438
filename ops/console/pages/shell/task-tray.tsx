import { useMutation } from '@tanstack/react-query';
import type { InferResponseType } from 'hono/client';
import { useState } from 'react';
import { api, load } from '../api';
import { Badge, type Tone } from '../components/badge';
import { useLive } from '../live';

type Task = InferResponseType<typeof api.tasks.$get>[number];

const tones = { running: 'neutral', done: 'good', failed: 'bad', interrupted: 'warning' } as const satisfies Record<
  Task['state'],
  Tone
>;

/** What the console does at the moment, and how it ended. */
export const TaskTray = () => {
  const { data = [] } = useLive({ url: api.tasks.$url(), read: () => load(api.tasks.$get()) });
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const shown = data.filter(({ id }) => !closed.has(id));
  return shown.length === 0 ? null : (
    <section className="tasks" aria-label="Tasks">
      {shown.map((task) => (
        <TaskCard key={task.id} task={task} onClose={() => setClosed(new Set([...closed, task.id]))} />
      ))}
    </section>
  );
};

const TaskCard = ({ task, onClose }: { readonly task: Task; readonly onClose: () => void }) => {
  const { id, title, state, done, total, notes } = task;
  const stop = useMutation({ mutationFn: () => load(api.tasks[':id'].stop.$post({ param: { id } })) });
  return (
    <div className="task" role="status">
      <p className="task-title">
        {title} <Badge tone={tones[state]}>{state === 'running' ? `${done} of ${total}` : state}</Badge>
      </p>
      {state === 'running' && <progress value={done} max={total} aria-label={title} />}
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      {state === 'running' ? (
        <button type="button" onClick={() => stop.mutate()} disabled={!stop.isIdle}>
          Stop
        </button>
      ) : (
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      )}
    </div>
  );
};
