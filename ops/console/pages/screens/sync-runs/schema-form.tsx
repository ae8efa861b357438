import { useId } from 'react';

/** The parts of a JSON Schema from which a field is made. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly items?: FieldSchema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
}

/** The values that differ from the defaults. */
export type Values = Readonly<Record<string, unknown>>;

interface FieldsProps {
  /** Makes the names of the fields unique. */
  readonly prefix: string;
  readonly schemas: Readonly<Record<string, FieldSchema>>;
  readonly values: Values;
  readonly onChange: (values: Values) => void;
}

/** One field for each key of a schema, with its description and its default. */
export const Fields = ({ prefix, schemas, values, onChange }: FieldsProps) => (
  <div className="schema-fields">
    {Object.entries(schemas).map(([name, schema]) => (
      <Field
        key={name}
        name={name}
        group={prefix}
        schema={schema}
        value={values[name]}
        onChange={(value) => {
          const { [name]: _, ...others } = values;
          const isDefault = value === undefined || JSON.stringify(value) === JSON.stringify(schema.default);
          onChange(isDefault ? others : { ...others, [name]: value });
        }}
      />
    ))}
  </div>
);

interface FieldProps {
  readonly name: string;
  readonly group: string;
  readonly schema: FieldSchema;
  /** Undefined: the default. */
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

const Field = ({ name, group, schema, value, onChange }: FieldProps) => {
  const id = useId();
  const { type, items, description } = schema;
  const label = name.replaceAll('_', ' ');
  const hint = description !== undefined && (
    <span className="quiet-text" id={`${id}-hint`}>
      {description.replaceAll('`', '')}
    </span>
  );
  const current = value ?? schema.default;
  if (type === 'boolean') {
    return (
      <div className="field">
        <label>
          <input
            type="checkbox"
            aria-describedby={`${id}-hint`}
            checked={current === true}
            onChange={({ target }) => onChange(target.checked)}
          />{' '}
          {label}
        </label>
        {hint}
      </div>
    );
  }
  if (type === 'array' && items?.enum !== undefined) {
    return <Choices legend={label} hint={hint} options={items.enum} value={value} onChange={onChange} />;
  }
  const common = { id, name: `${group}.${name}`, 'aria-describedby': `${id}-hint` };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {schema.enum !== undefined ? (
        <select {...common} value={String(current)} onChange={({ target }) => onChange(target.value)}>
          {schema.enum.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : type === 'array' ? (
        <textarea
          {...common}
          rows={2}
          placeholder={listOf(schema.default).join('\n') || 'One per line'}
          onChange={({ target }) => onChange(linesOf(target.value))}
        />
      ) : type === 'integer' || type === 'number' ? (
        <input
          {...common}
          type="number"
          min={schema.minimum}
          max={schema.maximum}
          placeholder={String(schema.default)}
          onChange={({ target }) => onChange(target.value === '' ? undefined : Number(target.value))}
        />
      ) : (
        <input
          {...common}
          spellCheck={false}
          pattern={schema.pattern}
          placeholder={schema.default === undefined ? 'Default' : String(schema.default)}
          onChange={({ target }) => onChange(target.value || undefined)}
        />
      )}
      {hint}
    </div>
  );
};

const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

const linesOf = (text: string): readonly string[] | undefined => {
  const lines = text.split(/[\n,]/).map((line) => line.trim());
  const filled = lines.filter((line) => line !== '');
  return filled.length === 0 ? undefined : filled;
};

interface ChoicesProps {
  readonly legend: string;
  readonly hint: React.ReactNode;
  readonly options: readonly string[];
  readonly value: unknown;
  readonly onChange: (value: readonly string[] | undefined) => void;
}

/** Some of a list of names; none means all. */
const Choices = ({ legend, hint, options, value, onChange }: ChoicesProps) => {
  const chosen = listOf(value);
  return (
    <fieldset className="field choices">
      <legend>
        {legend} ({chosen.length === 0 ? 'all' : chosen.length})
      </legend>
      <div className="choice-list">
        {options.map((option) => (
          <label key={option}>
            <input
              type="checkbox"
              checked={chosen.includes(option)}
              onChange={({ target }) => {
                const next = options.filter((one) => (one === option ? target.checked : chosen.includes(one)));
                onChange(next.length === 0 ? undefined : next);
              }}
            />{' '}
            {option}
          </label>
        ))}
      </div>
      {hint}
    </fieldset>
  );
};
