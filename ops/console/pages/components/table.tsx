import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useKeys } from '../keys';

/** A column of a {@link Table}. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** As in CSS, such as `8rem`. Default: a share of what is left. */
  readonly width?: string;
  /** Numbers are aligned to the right. */
  readonly isNumber?: boolean;
  /** Left out on a narrow screen. */
  readonly isWideOnly?: boolean;
}

/** Rows that are selected with checkboxes. */
export interface Selection {
  readonly keys: ReadonlySet<string>;
  readonly onChange: (keys: ReadonlySet<string>) => void;
}

interface TableProps<Row> {
  /** What the rows are, for screen readers. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Opens a row: by a click, or with Enter. */
  readonly onOpen?: (row: Row) => void;
  readonly selection?: Selection;
}

const rowHeightPx = 41;

/** A table of any length: only the rows on the screen exist. `j` and `k` move through the rows, Enter opens one. */
export const Table = <Row,>({ label, columns, rows, keyOf, onOpen, selection }: TableProps<Row>) => {
  const body = useRef<HTMLTableSectionElement>(null);
  const [cursor, setCursor] = useState(-1);
  const [top, setTop] = useState(0);
  useEffect(() => setTop((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY), []);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeightPx,
    overscan: 12,
    scrollMargin: top,
    getItemKey: (index) => keyOf(rows[index] as Row),
  });
  const move = (by: number): void => {
    const next = Math.min(rows.length - 1, Math.max(0, cursor + by));
    if (rows.length === 0) return;
    setCursor(next);
    virtualizer.scrollToIndex(next);
    const focus = (): boolean => {
      const row = body.current?.querySelector<HTMLElement>(`tr[data-index="${next}"]`);
      row?.focus();
      return row !== undefined && row !== null;
    };
    // At once, so that an Enter before the next frame opens this row. A row far off the screen does not exist yet.
    if (!focus()) requestAnimationFrame(focus);
  };
  useKeys({ j: () => move(1), k: () => move(-1) });

  const items = virtualizer.getVirtualItems();
  const before = (items[0]?.start ?? top) - top;
  const after = virtualizer.getTotalSize() - ((items.at(-1)?.end ?? top) - top);
  const span = columns.length + (selection ? 1 : 0);
  return (
    <table className="table" aria-label={label} aria-rowcount={rows.length + 1} data-opens={onOpen !== undefined}>
      <thead>
        <tr>
          {selection && <SelectAll rows={rows} keyOf={keyOf} selection={selection} />}
          {columns.map(({ title, width, isNumber, isWideOnly }) => (
            <th key={title} scope="col" style={{ width }} data-number={isNumber} data-wide-only={isWideOnly}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        <Spacer heightPx={before} span={span} />
        {items.map(({ index, key }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <tr
              key={key}
              ref={virtualizer.measureElement}
              data-index={index}
              aria-rowindex={index + 2}
              tabIndex={onOpen && (index === cursor || (cursor < 0 && index === 0)) ? 0 : -1}
              onFocus={() => setCursor(index)}
              onClick={({ target }) => {
                if (target instanceof Element && target.closest('a, button, input, label')) return;
                onOpen?.(row);
              }}
              onKeyDown={(event) => {
                if (event.key !== 'Enter' || event.target !== event.currentTarget) return;
                // The same key would press the button that has the focus in the dialog that opens.
                event.preventDefault();
                onOpen?.(row);
              }}
            >
              {selection && <SelectRow name={keyOf(row)} selection={selection} />}
              {columns.map(({ title, cell, isNumber, isWideOnly }) => (
                <td key={title} data-title={title} data-number={isNumber} data-wide-only={isWideOnly}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          );
        })}
        <Spacer heightPx={after} span={span} />
      </tbody>
    </table>
  );
};

/** Takes the place of rows that are not on the screen. */
const Spacer = ({ heightPx, span }: { readonly heightPx: number; readonly span: number }) =>
  heightPx <= 0 ? null : (
    <tr className="spacer">
      <td colSpan={span} style={{ height: heightPx }} />
    </tr>
  );

type SelectAllProps<Row> = Pick<TableProps<Row>, 'rows' | 'keyOf'> & { readonly selection: Selection };

const SelectAll = <Row,>({ rows, keyOf, selection: { keys, onChange } }: SelectAllProps<Row>) => {
  const isAll = rows.length > 0 && rows.every((row) => keys.has(keyOf(row)));
  return (
    <th scope="col" className="select">
      <input
        type="checkbox"
        aria-label="Select all rows"
        checked={isAll}
        onChange={() => onChange(new Set(isAll ? [] : rows.map(keyOf)))}
      />
    </th>
  );
};

const SelectRow = ({
  name,
  selection: { keys, onChange },
}: {
  readonly name: string;
  readonly selection: Selection;
}) => (
  <td className="select">
    <input
      type="checkbox"
      aria-label={`Select ${name}`}
      checked={keys.has(name)}
      onChange={({ target }) => {
        const next = new Set(keys);
        if (target.checked) next.add(name);
        else next.delete(name);
        onChange(next);
      }}
    />
  </td>
);
