import { Link } from '@tanstack/react-router';
import { Dialog } from '../../components/dialog';
import type { LogRow } from './row';

interface LineDialogProps {
  readonly row: LogRow;
  readonly onClose: () => void;
}

/** All fields of a row. Those of an order or a sync run lead there. */
export const LineDialog = ({ row, onClose }: LineDialogProps) => (
  <Dialog title={row.get('message') ?? 'Row'} onClose={onClose}>
    <dl className="line-fields">
      {[...row].map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Value name={name} value={value} />
          </dd>
        </div>
      ))}
    </dl>
    <form method="dialog" className="dialog-actions">
      <button type="submit">Close</button>
    </form>
  </Dialog>
);

const Value = ({ name, value }: { readonly name: string; readonly value: string }) => {
  if (name === 'order_id') {
    return (
      <Link to="/orders/$id" params={{ id: value }}>
        {value}
      </Link>
    );
  }
  if (name === 'request_id') {
    return (
      <Link to="/orders" search={{ q: value }}>
        {value}
      </Link>
    );
  }
  if (name === 'run_id') {
    return (
      <Link to="/sync-runs/$id" params={{ id: value }}>
        {value}
      </Link>
    );
  }
  return value;
};
