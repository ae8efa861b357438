import { useState } from 'react';
import { formatBulkCost, formatDuration, plural } from '../../../../format';
import { api, load } from '../../api';
import { PlanDialog } from '../../components/plan-dialog';
import { meanings, type ReplayMeaning } from './meanings';

const names = Object.keys(meanings) as ReplayMeaning[];

/** The plan of a replay of many orders. */
export const BulkReplay = ({ ids, onClose }: { readonly ids: readonly string[]; readonly onClose: () => void }) => {
  const [meaning, setMeaning] = useState<ReplayMeaning>('qualia');
  const [rate, setRate] = useState('10');
  const perSecond = /^([1-9]\d?|100)$/.test(rate) ? Number(rate) : 10;
  const { input, args, effect } = meanings[meaning];
  return (
    <PlanDialog
      title={`Replay ${plural(ids.length, 'order')}`}
      facts={[
        ['Orders', ids.length.toLocaleString('en')],
        ['Effect', effect],
        ['Rate', `at most ${perSecond}/s, after three first ones`],
        ['Takes at least', formatDuration(ids.length / perSecond)],
        ['Costs', formatBulkCost(ids.length)],
        ['Stops', 'if over 10 % fail, a circuit opens, or nothing ends for 15 minutes'],
      ]}
      command={`orders replay ${ids.length <= 5 ? ids.join(' ') : '--ids ids.txt'}${args} --rate ${perSecond}`}
      confirmLabel={`Replay ${plural(ids.length, 'order')}`}
      run={(change) => load(api.orders.replay.$post({ json: { ...change, ...input, ids: [...ids], rate: perSecond } }))}
      onClose={onClose}
    >
      <p className="field">
        <label htmlFor="meaning">What to replay</label>
        <select
          id="meaning"
          value={meaning}
          onChange={({ target }) => setMeaning(names[target.selectedIndex] ?? 'qualia')}
        >
          {names.map((name) => (
            <option key={name} value={name}>
              {meanings[name].label}
            </option>
          ))}
        </select>
      </p>
      <p className="field">
        <label htmlFor="rate">Orders per second, up to 100</label>
        <input id="rate" inputMode="numeric" value={rate} onChange={({ target }) => setRate(target.value)} />
      </p>
    </PlanDialog>
  );
};
