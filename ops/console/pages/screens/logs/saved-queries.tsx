import type { InferResponseType } from 'hono/client';
import { useState } from 'react';
import type { api } from '../../api';
import { type OwnQuery, readOwnQueries, saveOwnQuery } from './own-queries';

type SavedQuery = InferResponseType<typeof api.logs.saved.$get>['queries'][number];

interface SavedQueriesProps {
  readonly saved: readonly SavedQuery[];
  /** The query in the editor. */
  readonly query: string;
  readonly onChoose: (query: string) => void;
}

/** Puts an id into the filter of a saved query: `order_id = "QO-123456"`. */
const withId = ({ query }: SavedQuery, id: string): string =>
  query.replace(/\b(\w+_id) = "[^"]*"/, (_, field: string) => `${field} = ${JSON.stringify(id)}`);

/** Chooses a saved query, with the id that it needs, or saves the one in the editor. */
export const SavedQueries = ({ saved, query, onChoose }: SavedQueriesProps) => {
  const [own, setOwn] = useState<readonly OwnQuery[]>(readOwnQueries);
  const [chosen, setChosen] = useState<SavedQuery>();
  const [id, setId] = useState('');
  const [name, setName] = useState('');

  const choose = (value: string): void => {
    const found = saved.find((one) => one.name === value);
    const mine = own.find((one) => `own ${one.name}` === value);
    setChosen(found);
    setId('');
    if (found) onChoose(found.query);
    else if (mine) onChoose(mine.query);
  };

  return (
    <div className="filters">
      <select aria-label="Saved query" value={chosen?.name ?? ''} onChange={({ target }) => choose(target.value)}>
        <option value="">Saved queries …</option>
        {saved.map((one) => (
          <option key={one.name}>{one.name}</option>
        ))}
        {own.length > 0 && (
          <optgroup label="Saved in this browser">
            {own.map((one) => (
              <option key={one.name} value={`own ${one.name}`}>
                {one.name}
              </option>
            ))}
          </optgroup>
        )}
      </select>
      {chosen && chosen.subject !== null && (
        <input
          aria-label={`ID of the ${chosen.subject}`}
          placeholder={`ID of the ${chosen.subject}`}
          spellCheck={false}
          value={id}
          onChange={({ target }) => {
            setId(target.value);
            onChoose(withId(chosen, target.value.trim()));
          }}
        />
      )}
      <form
        className="save-query"
        onSubmit={(event) => {
          event.preventDefault();
          setOwn(saveOwnQuery({ name: name.trim(), query }));
          setName('');
        }}
      >
        <input
          aria-label="Name to save the query"
          placeholder="Name to save it"
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <button type="submit" className="quiet" disabled={name.trim() === '' || query.trim() === ''}>
          Save
        </button>
      </form>
    </div>
  );
};
