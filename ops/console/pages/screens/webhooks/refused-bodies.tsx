import type { InferResponseType } from 'hono/client';
import { useState } from 'react';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Command } from '../../components/command';
import { CopyId } from '../../components/copy';
import { Section } from '../../components/page';
import { PlanDialog } from '../../components/plan-dialog';
import { Time } from '../../components/time';

type Body = InferResponseType<typeof api.webhooks.refused.$get>['bodies'][number];

interface RefusedBodiesProps {
  /** Number of kept bodies: more than are shown, if there are many. */
  readonly total: number;
  readonly bodies: readonly Body[];
}

/** The bodies that the webhook refused for their format, and kept. */
export const RefusedBodies = ({ total, bodies }: RefusedBodiesProps) => {
  const [isPlanning, setPlanning] = useState(false);
  const ids = bodies.map(({ id }) => id);
  return (
    <Section title="Kept bodies" aside={total > bodies.length ? `the newest ${bodies.length} of ${total}` : undefined}>
      {bodies.length === 0 ? (
        <p className="quiet-text">No body was refused for its format in the last 30 days.</p>
      ) : (
        <>
          <ul className="bodies">
            {bodies.map((body) => (
              <li key={body.id}>
                <RefusedBody body={body} />
              </li>
            ))}
          </ul>
          <div className="panel-actions">
            <button type="button" className="primary" onClick={() => setPlanning(true)}>
              Accept all …
            </button>
            <Command args="webhook refused list" />
          </div>
        </>
      )}
      {isPlanning && (
        <PlanDialog
          title="Accept refused webhooks again"
          facts={[
            ['Bodies', bodies.length],
            ['Order', 'one after the other, the oldest first'],
            ['Effect', 'Each is sent through the webhook again; what it accepts is deleted'],
          ]}
          command="webhook refused accept --since 30d"
          confirmLabel="Accept all"
          run={(change) => load(api.webhooks.refused.accept.$post({ json: { ...change, ids: ids.toReversed() } }))}
          onClose={() => setPlanning(false)}
        />
      )}
    </Section>
  );
};

const RefusedBody = ({ body: { id, received_at, bytes, details, outline } }: { readonly body: Body }) => (
  <>
    <div className="body-head">
      <Time at={received_at} />
      <CopyId value={id} />
      <span className="quiet-text">{bytes.toLocaleString('en')} bytes</span>
      <Action
        label="Accept again"
        args={`webhooks refused accept ${id}`}
        run={(change) => load(api.webhooks.refused[':id'].accept.$post({ param: { id }, json: change }))}
      />
    </div>
    <ul className="body-faults">
      {details.map(({ path, message }) => (
        <li key={`${path} ${message}`}>
          {path !== '' && <code>{path}</code>} {message}
        </li>
      ))}
    </ul>
    <details>
      <summary>Structure, without values</summary>
      <pre>{outline.join('\n')}</pre>
    </details>
  </>
);
