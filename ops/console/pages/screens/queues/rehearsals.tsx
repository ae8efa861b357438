import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Badge } from '../../components/badge';
import { Command } from '../../components/command';
import { Section } from '../../components/page';
import { Loaded } from '../../components/states';
import { useLive } from '../../live';

/** Begins and ends outages of the simulated APIs. For the pipeline on this machine. */
export const Rehearsals = () => {
  const { rehearsals } = api;
  const query = useLive({ url: rehearsals.$url(), read: () => load(rehearsals.$get()) });
  return (
    <Section title="Rehearse an outage">
      <p className="quiet-text">A simulated API responds 503 to every call, and orders wait until that ends.</p>
      <Loaded query={query}>
        {(outages) => (
          <ul className="list">
            {outages.map(({ api: name, is_down: isDown }) => (
              <li key={name} className="pause-row">
                <strong>{name}</strong>
                <Action
                  key={isDown ? 'end' : 'begin'}
                  label={isDown ? 'End the outage' : 'Begin an outage'}
                  {...(isDown && { tone: 'primary' as const })}
                  run={(change) =>
                    load(rehearsals[':api'].$post({ param: { api: name }, json: { ...change, is_down: !isDown } }))
                  }
                />
                {isDown && <Badge tone="bad">down</Badge>}
                <Command args={`rehearse ${name}${isDown ? ' --end' : ''}`} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Section>
  );
};
