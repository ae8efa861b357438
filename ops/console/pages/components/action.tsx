import { useState } from 'react';
import { type ChangeInput, lastReason, useChange } from '../change';
import { useSession } from '../session';

interface ActionProps {
  readonly label: string;
  readonly run: (input: ChangeInput) => Promise<unknown>;
  readonly tone?: 'primary' | 'danger' | 'quiet';
  readonly isDisabled?: boolean;
  /** It only reads, and is recorded: a console that is read-only allows it. */
  readonly isReading?: boolean;
  /** Arguments of the `pipeline` command that does the same, where no command is next to the button. */
  readonly args?: string;
}

/** A button that changes one thing, without a dialog. On AWS it first asks for the reason, in place. */
export const Action = ({ label, run, tone, isDisabled = false, isReading = false, args }: ActionProps) => {
  const { write, local, command } = useSession();
  const isAllowed = write || isReading;
  const [isAsking, setAsking] = useState(false);
  const { mutate, isPending, error, isSuccess } = useChange(run, () => setAsking(false));
  const same = args === undefined ? undefined : `The same as: ${command} ${args}`;
  const title = isAllowed ? same : 'The console is read-only: start it with `pipeline console --write`';
  return (
    <span className="action">
      {isAsking ? (
        <ReasonForm label={label} isPending={isPending} onReason={mutate} onCancel={() => setAsking(false)} />
      ) : (
        <button
          type="button"
          className={tone}
          title={title}
          disabled={!isAllowed || isPending || isDisabled}
          onClick={() => (local ? mutate({ reason: '' }) : setAsking(true))}
        >
          {isPending ? 'Working …' : label}
        </button>
      )}
      {isSuccess && !isAsking && (
        <span className="action-done" role="status">
          Done
        </span>
      )}
      {error !== null && (
        <span className="action-failed" role="alert">
          {error.message}
        </span>
      )}
    </span>
  );
};

interface ReasonFormProps {
  readonly label: string;
  readonly isPending: boolean;
  readonly onReason: (input: ChangeInput) => void;
  readonly onCancel: () => void;
}

const ReasonForm = ({ label, isPending, onReason, onCancel }: ReasonFormProps) => {
  const [reason, setReason] = useState(lastReason());
  return (
    <form
      className="reason-form"
      onSubmit={(event) => {
        event.preventDefault();
        onReason({ reason: reason.trim() });
      }}
    >
      <input
        ref={(input) => input?.focus()}
        required
        maxLength={200}
        aria-label="Reason, for the record"
        placeholder="Reason, for the record"
        value={reason}
        onChange={({ target }) => setReason(target.value)}
        onKeyDown={({ key }) => {
          if (key === 'Escape') onCancel();
        }}
      />
      <button type="submit" className="primary" disabled={isPending}>
        {label}
      </button>
      <button type="button" className="quiet" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
};
