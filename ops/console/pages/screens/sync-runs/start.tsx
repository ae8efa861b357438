import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Command } from '../../components/command';
import { Section } from '../../components/page';
import { Loaded } from '../../components/states';
import { type FieldSchema, Fields, type Values } from './schema-form';

/** The jobs, which are keys of the input with keys of their own. */
const isJob = (schema: FieldSchema): boolean => schema.type === 'object';

/** The form that starts a run. Its fields come from the JSON Schema of the input. A dry run comes first. */
export const StartPanel = ({ onClose }: { readonly onClose: () => void }) => {
  const query = useQuery({
    queryKey: ['input-schema'],
    queryFn: () => load(api['sync-runs']['input-schema'].$get()),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Section
      title="Start a run"
      aside={
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      }
    >
      <Loaded query={query}>
        {({ schema, portals }) => <StartForm properties={schema.properties as FieldSchemas} portals={portals} />}
      </Loaded>
    </Section>
  );
};

type FieldSchemas = Readonly<Record<string, FieldSchema>>;

const StartForm = ({
  properties,
  portals,
}: {
  readonly properties: FieldSchemas;
  readonly portals: readonly string[];
}) => {
  const navigate = useNavigate();
  const [general, setGeneral] = useState<Values>({ dry_run: true });
  const jobNames = Object.keys(properties).filter((name) => isJob(properties[name] ?? {}));
  const [jobs, setJobs] = useState<Readonly<Record<string, Values>>>(() =>
    Object.fromEntries(jobNames.map((name) => [name, {}])),
  );
  const input = { ...general, ...jobs };
  const isDryRun = general.dry_run === true;
  const ownFields = Object.fromEntries(Object.entries(properties).filter(([name]) => !jobNames.includes(name)));
  const toggle = (name: string): void => {
    const { [name]: chosen, ...others } = jobs;
    setJobs(chosen === undefined ? { ...jobs, [name]: {} } : others);
  };
  return (
    <div className="start-form">
      <Fields prefix="run" schemas={ownFields} values={general} onChange={setGeneral} />
      {jobNames.map((name) => (
        <fieldset key={name}>
          <legend>
            <label>
              <input type="checkbox" checked={jobs[name] !== undefined} onChange={() => toggle(name)} /> {name}
            </label>
          </legend>
          <p className="quiet-text">{properties[name]?.description}</p>
          {jobs[name] !== undefined && (
            <Fields
              prefix={name}
              schemas={withPortals(properties[name]?.properties ?? {}, portals)}
              values={jobs[name]}
              onChange={(values) => setJobs({ ...jobs, [name]: values })}
            />
          )}
        </fieldset>
      ))}
      {!isDryRun && <p className="banner">This run sends for real. Start a dry run first, and look at its files.</p>}
      <Command args={`sync start --input /dev/stdin <<< '${JSON.stringify(input)}'`} />
      <div className="panel-actions">
        <Action
          label={isDryRun ? 'Start a dry run' : 'Start the run'}
          tone={isDryRun ? 'primary' : 'danger'}
          isDisabled={Object.keys(jobs).length === 0}
          run={async (change) => {
            const { run_id: id } = await load(api['sync-runs'].$post({ json: { ...change, input } }));
            await navigate({ to: '/sync-runs/$id', params: { id } });
          }}
        />
      </div>
    </div>
  );
};

/** A stage can have more portals than the schema names. */
const withPortals = (schemas: FieldSchemas, portals: readonly string[]): FieldSchemas => {
  const { portals: own, ...others } = schemas;
  return own === undefined ? schemas : { portals: { ...own, items: { type: 'string', enum: portals } }, ...others };
};
