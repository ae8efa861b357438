import { useState } from 'react';
import { Badge } from '../../components/badge';
import { type Column, Table } from '../../components/table';
import { LineDialog } from './line-dialog';
import type { LogRow } from './row';

/** Columns of a log line. The others are shown behind them. */
const lineColumns = ['@timestamp', 'level', 'service', 'message'];
/** Without a line, each column of the query is one of the table, up to this number. */
const maxColumns = 8;

const tones = { ERROR: 'bad', WARN: 'warning' } as const;

const Level = ({ level }: { readonly level: string }) => {
  const tone = level === 'ERROR' || level === 'WARN' ? tones[level] : 'neutral';
  return level === '' ? null : <Badge tone={tone}>{level}</Badge>;
};

const Others = ({ row }: { readonly row: LogRow }) => (
  <span className="line-others">
    {[...row].flatMap(([name, value]) =>
      lineColumns.includes(name)
        ? []
        : [
            <span key={name}>
              <span className="quiet-text">{name}</span> {value}
            </span>,
          ],
    )}
  </span>
);

interface NumberedRow {
  readonly row: LogRow;
  readonly key: string;
}

const columnsOf = (rows: readonly LogRow[]): readonly Column<NumberedRow>[] => {
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  if (!names.includes('message')) {
    return names.slice(0, maxColumns).map((name) => ({ title: name, cell: ({ row }) => row.get(name) ?? '' }));
  }
  return [
    { title: 'Time (UTC)', width: '11.5rem', cell: ({ row }) => row.get('@timestamp')?.slice(5) ?? '' },
    { title: 'Level', width: '5.5rem', cell: ({ row }) => <Level level={row.get('level') ?? ''} /> },
    { title: 'Service', width: '8rem', cell: ({ row }) => row.get('service') ?? '', isWideOnly: true },
    { title: 'Message', width: '12rem', cell: ({ row }) => row.get('message') ?? '' },
    { title: 'Fields', cell: ({ row }) => <Others row={row} /> },
  ];
};

/** The rows of a query as a table. A row opens with all of its fields. */
export const LogRows = ({ rows }: { readonly rows: readonly LogRow[] }) => {
  const [open, setOpen] = useState<LogRow>();
  return (
    <div className="panel log-rows">
      <Table
        label="Log lines"
        columns={columnsOf(rows)}
        rows={rows.map((row, index) => ({ row, key: String(index) }))}
        keyOf={({ key }) => key}
        onOpen={({ row }) => setOpen(row)}
      />
      {open && <LineDialog row={open} onClose={() => setOpen(undefined)} />}
    </div>
  );
};
