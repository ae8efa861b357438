import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Command } from '../../components/command';
import { Section } from '../../components/page';
import { Loaded } from '../../components/states';
import { useSession } from '../../session';

/** The response to a sample. */
interface Sent {
  readonly status: number;
  readonly order_id: string | null;
}

/** Sends a made-up webhook. Not on prod. */
export const SendSample = () => {
  const { stage, local } = useSession();
  const [sample, setSample] = useState('TX');
  const [sent, setSent] = useState<Sent>();
  const query = useQuery({ queryKey: ['samples'], queryFn: () => load(api.webhooks.samples.$get()) });
  if (stage === 'prod' && !local) return null;
  return (
    <Section title="Send a sample">
      <Loaded query={query}>
        {(samples) => (
          <div className="filters">
            <select aria-label="Sample" value={sample} onChange={({ target }) => setSample(target.value)}>
              {samples.map(({ name, description, expected_status }) => (
                <option key={name} value={name}>
                  {expected_status === 200 ? `${name}: ${description}` : `${name} (${expected_status}): ${description}`}
                </option>
              ))}
            </select>
            <Action
              label="Send"
              run={async (change) =>
                setSent(await load(api.webhooks.samples.send.$post({ json: { ...change, sample } })))
              }
            />
            <Command args={`webhook send ${sample} --new`} />
            {sent !== undefined && (
              <span role="status">
                Response {sent.status}
                {sent.order_id !== null && (
                  <>
                    , order{' '}
                    <Link to="/orders/$id" params={{ id: sent.order_id }}>
                      {sent.order_id}
                    </Link>
                  </>
                )}
              </span>
            )}
          </div>
        )}
      </Loaded>
    </Section>
  );
};
