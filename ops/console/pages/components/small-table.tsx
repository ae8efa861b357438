import type { Column } from './table';

interface SmallTableProps<Row> {
  /** What the rows are, for screen readers. */
  readonly label: string;
  /** The first one names the row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}

/** A table of a few rows, within a panel. */
export const SmallTable = <Row,>({ label, columns: [first, ...columns], rows, keyOf }: SmallTableProps<Row>) => (
  <table className="table small" aria-label={label}>
    <thead>
      <tr>
        {[first, ...columns].map((column) => (
          <th key={column?.title} scope="col" data-number={column?.isNumber}>
            {column?.title}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {rows.map((row) => (
        <tr key={keyOf(row)}>
          <th scope="row">{first?.cell(row)}</th>
          {columns.map(({ title, cell, isNumber, isWideOnly }) => (
            <td key={title} data-title={title} data-number={isNumber} data-wide-only={isWideOnly}>
              {cell(row)}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);
