import { useState } from 'react';
import { formatBulkCost, formatDuration, plural } from '../../../../format';
import { api, load } from '../../api';
import { PlanDialog } from '../../components/plan-dialog';

interface RedrivePlanProps {
  readonly worker: 'download' | 'processing';
  readonly messages: number;
  readonly onClose: () => void;
}

/** What a redrive of a whole dead-letter queue would do. */
export const RedrivePlan = ({ worker, messages, onClose }: RedrivePlanProps) => {
  const [typed, setTyped] = useState('5');
  const rate = /^[1-9]\d{0,2}$/.test(typed) ? Number(typed) : undefined;
  return (
    <PlanDialog
      title={`Redrive the dead letters of ${worker}`}
      facts={[
        ['Messages', messages],
        ['Rate', rate === undefined ? 'SQS decides' : `${rate}/s`],
        ['Takes about', rate === undefined ? 'seconds' : formatDuration(messages / rate)],
        ['Costs', formatBulkCost(messages)],
        ['Effect', 'Each order resumes where it stopped'],
      ]}
      command={`dlq redrive ${worker}${rate === undefined ? '' : ` --rate ${rate}`}`}
      confirmLabel={`Redrive ${plural(messages, 'message')}`}
      run={(change) =>
        load(
          api.queues[':worker'].redrive.$post({
            param: { worker },
            json: { ...change, ...(rate !== undefined && { rate }) },
          }),
        )
      }
      onClose={onClose}
    >
      <p className="field">
        <label htmlFor="redrive-rate">Messages per second; empty: SQS decides</label>
        <input id="redrive-rate" inputMode="numeric" value={typed} onChange={({ target }) => setTyped(target.value)} />
      </p>
    </PlanDialog>
  );
};
