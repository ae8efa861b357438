interface TextFilterProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

/** A filter by text. */
export const TextFilter = ({ label, value, onChange }: TextFilterProps) => (
  <input
    aria-label={label}
    placeholder={label}
    spellCheck={false}
    defaultValue={value}
    onChange={({ target }) => onChange(target.value.trim() || undefined)}
  />
);

interface ChoiceFilterProps<Value extends string> {
  readonly label: string;
  /** Value → what is shown. */
  readonly choices: readonly (readonly [Value, string])[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

/** A filter with a few choices. */
export const ChoiceFilter = <Value extends string>({ label, choices, value, onChange }: ChoiceFilterProps<Value>) => (
  <select
    aria-label={label}
    value={value}
    onChange={({ target }) => {
      const chosen = choices[target.selectedIndex]?.[0];
      if (chosen !== undefined) onChange(chosen);
    }}
  >
    {choices.map(([choice, text]) => (
      <option key={choice} value={choice}>
        {text}
      </option>
    ))}
  </select>
);
