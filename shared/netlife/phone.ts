/** Whether there is a `+` before the first digit, and that is no 1. One pass: the text may be long. */
const hasForeignCountryCode = (written: string): boolean => {
  const [, before = '', first = '1'] = /^(\D*)(\d)/.exec(written) ?? [];
  return before.includes('+') && first >= '2';
};

/**
 * A phone number as the contacts file has it: `+1 (AAA) BBB-CCCC`, or E.164 when it starts with `+` and another country
 * code than 1.
 *
 * @returns the empty text when nobody could dial it: fewer than 10 digits, or a number of no known form
 */
export const formatPhone = (written: string): string => {
  const digits = written.replaceAll(/\D+/g, '');
  if (digits.length < 10) return '';
  if (hasForeignCountryCode(written)) return digits.length <= 15 ? `+${digits}` : '';
  const national = /^1?(\d{3})(\d{3})(\d{4})$/.exec(digits);
  return national === null ? '' : `+1 (${national[1]}) ${national[2]}-${national[3]}`;
};
