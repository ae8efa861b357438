import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { InferResponseType } from 'hono/client';
import { useState } from 'react';
import { plural } from '../../../../format';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Badge } from '../../components/badge';
import { Command } from '../../components/command';
import { Section } from '../../components/page';
import { PlanDialog } from '../../components/plan-dialog';
import { SmallTable } from '../../components/small-table';
import { Loaded } from '../../components/states';
import { Time } from '../../components/time';
import { RedrivePlan } from './redrive-plan';

type DeadLetterQueue = InferResponseType<typeof api.queues.$get>[number];
type DeadLetter = InferResponseType<(typeof api.queues)[':worker']['messages']['$get']>[number];
type Worker = DeadLetterQueue['worker'];

/** A dead-letter queue: its redrive, and its messages. */
export const DeadLetterPanel = ({ queue: { worker, messages, redrive } }: { readonly queue: DeadLetterQueue }) => {
  const [isPlanning, setPlanning] = useState(false);
  return (
    <Section
      title={`Dead letters of ${worker}`}
      aside={messages === 0 ? undefined : <Badge tone="bad">{plural(messages, 'message')}</Badge>}
    >
      {redrive !== null && <Redrive worker={worker} redrive={redrive} />}
      {messages === 0 ? (
        <p className="quiet-text">None.</p>
      ) : (
        <>
          <Messages worker={worker} messages={messages} />
          <div className="panel-actions">
            <button type="button" className="primary" onClick={() => setPlanning(true)}>
              Redrive all …
            </button>
            <Command args={`dlq show ${worker}`} />
          </div>
        </>
      )}
      {isPlanning && <RedrivePlan worker={worker} messages={messages} onClose={() => setPlanning(false)} />}
    </Section>
  );
};

interface RedriveProps {
  readonly worker: Worker;
  readonly redrive: NonNullable<DeadLetterQueue['redrive']>;
}

const Redrive = ({ worker, redrive: { status, moved, to_move } }: RedriveProps) => (
  <div className="redrive">
    <Badge tone={status === 'COMPLETED' ? 'good' : status === 'FAILED' ? 'bad' : 'neutral'}>
      redrive {status.toLowerCase()}
    </Badge>
    <span>
      {moved} of {to_move ?? '?'} moved
    </span>
    {status === 'RUNNING' && (
      <>
        <progress value={moved} max={to_move ?? 1} aria-label={`Redrive of ${worker}`} />
        <Action
          label="Stop"
          args={`dlq stop ${worker}`}
          run={(change) => load(api.queues[':worker'].stop.$post({ param: { worker }, json: change }))}
        />
      </>
    )}
  </div>
);

interface MessagesProps {
  readonly worker: Worker;
  /** Number of messages: read again when it changes. */
  readonly messages: number;
}

const Messages = ({ worker, messages }: MessagesProps) => {
  const query = useQuery({
    queryKey: ['dead-letters', worker, messages],
    queryFn: () => load(api.queues[':worker'].messages.$get({ param: { worker } })),
  });
  return (
    <Loaded query={query}>
      {(letters) => (
        <SmallTable
          label={`Dead letters of ${worker}`}
          rows={letters}
          keyOf={({ message_id }) => message_id}
          columns={[
            { title: 'Order', cell: ({ order_id }) => <Order id={order_id} /> },
            { title: 'First failure', cell: ({ first_failure }) => <Failed failure={first_failure} /> },
            { title: 'Sent', cell: ({ sent_at }) => <Time at={sent_at} /> },
            { title: 'Expires', cell: ({ expires_at }) => <Time at={expires_at} />, isWideOnly: true },
            { title: 'Receives', cell: ({ receives }) => receives, isNumber: true, isWideOnly: true },
            { title: 'Actions', cell: ({ message_id }) => <MessageActions worker={worker} id={message_id} /> },
          ]}
        />
      )}
    </Loaded>
  );
};

const Order = ({ id }: { readonly id: string | null }) =>
  id === null ? (
    'unreadable'
  ) : (
    <Link to="/orders/$id" params={{ id }}>
      {id}
    </Link>
  );

const Failed = ({ failure }: { readonly failure: DeadLetter['first_failure'] }) =>
  failure === null ? (
    <span className="quiet-text">none is logged</span>
  ) : (
    <span title={failure.error ?? undefined}>
      <code>{failure.error_code}</code>, <Time at={failure.at} />
    </span>
  );

const MessageActions = ({ worker, id }: { readonly worker: Worker; readonly id: string }) => {
  const [isDropping, setDropping] = useState(false);
  const message = api.queues[':worker'].messages[':id'];
  const param = { worker, id };
  return (
    <span className="row-actions">
      <Action
        label="Redrive"
        args={`dlq redrive ${worker} ${id}`}
        run={(change) => load(message.redrive.$post({ param, json: change }))}
      />
      <button type="button" className="quiet" onClick={() => setDropping(true)}>
        Drop …
      </button>
      {isDropping && (
        <PlanDialog
          title="Drop a dead letter"
          facts={[
            ['Message', id],
            ['Effect', 'Its order does not resume'],
            ['Copy', `in the artifacts bucket, under dead-letters/${worker}/`],
          ]}
          command={`dlq drop ${worker} ${id}`}
          confirmLabel="Drop the message"
          isDanger
          run={(change) => load(message.drop.$post({ param, json: change }))}
          onClose={() => setDropping(false)}
        />
      )}
    </span>
  );
};
