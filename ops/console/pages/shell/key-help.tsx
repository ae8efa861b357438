import { Dialog } from '../components/dialog';

const keys = [
  ['/', 'search orders'],
  ['j, k', 'next or previous row'],
  ['Enter', 'open the row'],
  ['r', 'refresh'],
  ['Esc', 'leave a field or a dialog'],
  ['?', 'show these keys'],
] as const;

/** The keys of the console. */
export const KeyHelp = ({ onClose }: { readonly onClose: () => void }) => (
  <Dialog title="Keys" onClose={onClose}>
    <dl className="facts">
      {keys.map(([key, action]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{action}</dd>
        </div>
      ))}
    </dl>
    <div className="dialog-actions">
      <button type="button" onClick={onClose}>
        Close
      </button>
    </div>
  </Dialog>
);
