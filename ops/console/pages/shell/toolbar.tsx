import { useQueryClient } from '@tanstack/react-query';
import { useLiveState } from '../live';
import { useTheme, useTimeFormat } from '../preferences';
import { useSession } from '../session';

const liveTexts = { live: 'Live', paused: 'Paused', offline: 'Offline' } as const;
const liveTitles = {
  live: 'The screen shows changes as they happen',
  paused: 'Changes are shown when you stop scrolling',
  offline: 'The console does not respond: it may have been stopped',
} as const;

/** State of the live refresh, and the switches of the console. */
export const Toolbar = ({ onHelp }: { readonly onHelp: () => void }) => {
  const client = useQueryClient();
  const { write } = useSession();
  const live = useLiveState();
  const [theme, nextTheme] = useTheme();
  const [times, nextTimes] = useTimeFormat();
  return (
    <div className="toolbar">
      {!write && (
        <span className="badge" title="Start it with `pipeline console --write` to change something">
          Read-only
        </span>
      )}
      <span className="live" data-state={live} role="status" title={liveTitles[live]}>
        {liveTexts[live]}
      </span>
      <button type="button" className="quiet" onClick={() => void client.invalidateQueries()} title="Refresh (r)">
        Refresh
      </button>
      <button type="button" className="quiet wide-only" onClick={nextTimes} title="Show relative or exact times">
        {times === 'relative' ? 'Relative times' : 'UTC times'}
      </button>
      <button type="button" className="quiet" onClick={nextTheme} title="Change the theme: system, light, dark">
        Theme: {theme}
      </button>
      <button type="button" className="quiet wide-only" onClick={onHelp} title="Keys (?)" aria-label="Keys">
        ?
      </button>
    </div>
  );
};
