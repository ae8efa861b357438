import { useState } from 'react';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Command } from '../../components/command';
import { meanings, type ReplayMeaning } from '../orders/meanings';

const names = Object.keys(meanings) as ReplayMeaning[];

/** Replays an order, in one of three meanings. */
export const ReplayActions = ({ id }: { readonly id: string }) => {
  const [meaning, setMeaning] = useState<ReplayMeaning>('qualia');
  const { input, args, effect } = meanings[meaning];
  return (
    <div className="filters">
      <select
        aria-label="What to replay"
        value={meaning}
        onChange={({ target }) => setMeaning(names[target.selectedIndex] ?? 'qualia')}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {meanings[name].label}
          </option>
        ))}
      </select>
      <Action
        label="Replay"
        tone={meaning === 'force' ? 'danger' : 'primary'}
        run={(change) => load(api.orders[':id'].replay.$post({ param: { id }, json: { ...change, ...input } }))}
      />
      <span className="quiet-text">{effect}.</span>
      <Command args={`orders replay ${id}${args}`} />
    </div>
  );
};
