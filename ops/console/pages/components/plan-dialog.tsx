import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { type ChangeInput, lastReason, useChange } from '../change';
import { useSession } from '../session';
import { Command } from './command';
import { Dialog } from './dialog';
import { Failure } from './states';

interface PlanDialogProps {
  readonly title: string;
  /** What will happen: count, rate, time, cost. */
  readonly facts: readonly (readonly [name: string, value: ReactNode])[];
  /** Arguments of the `pipeline` command that does the same. */
  readonly command: string;
  readonly confirmLabel: string;
  readonly isDanger?: boolean;
  readonly run: (input: ChangeInput) => Promise<unknown>;
  readonly onClose: () => void;
  /** Inputs that change the plan. */
  readonly children?: ReactNode;
}

/** Shows what a bulk action would do, before it is done. On prod, the user types the name of the stage. */
export const PlanDialog = ({
  title,
  facts,
  command,
  confirmLabel,
  isDanger,
  run,
  onClose,
  children,
}: PlanDialogProps) => {
  const { stage, local, write } = useSession();
  const [reason, setReason] = useState(lastReason());
  const [typed, setTyped] = useState('');
  const { mutate, isPending, error } = useChange(run, onClose);
  const asksForStage = stage === 'prod' && !local;
  const reasonId = useId();
  const stageId = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    mutate({ reason: reason.trim(), ...(asksForStage && { confirmed_stage: typed }) });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        <dl className="facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {!local && (
          <p className="field">
            <label htmlFor={reasonId}>Reason, for the record</label>
            <input
              id={reasonId}
              required
              maxLength={200}
              value={reason}
              onChange={({ target }) => setReason(target.value)}
            />
          </p>
        )}
        {asksForStage && (
          <p className="field">
            <label htmlFor={stageId}>
              Type <strong>{stage}</strong> to confirm
            </label>
            <input
              id={stageId}
              required
              pattern={stage}
              autoComplete="off"
              value={typed}
              onChange={({ target }) => setTyped(target.value)}
            />
          </p>
        )}
        <Command args={command} />
        {error !== null && <Failure error={error} />}
        <div className="dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={isDanger ? 'danger' : 'primary'} disabled={isPending || !write}>
            {isPending ? 'Working …' : confirmLabel}
          </button>
        </div>
      </form>
    </Dialog>
  );
};
