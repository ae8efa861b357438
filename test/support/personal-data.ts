import { readCsv } from '../fuzz/csv';
import { qualiaOrder } from './qualia-orders';

/** Personal data and credentials of the tests. None of them may be in a log line, a metric or an error. */
export const name = 'Zebedee Quillfeather';
export const email = 'zebedee@quillfeather.example';
export const phone = '+1 555 0123 9876';
export const street = '77 Quagmire Lane';
export const description = 'Please call the widow before noon';
export const username = 'qualia-user-7f3a';
export const password = 'pa55-hunter2-9b1c';
export const token = 'tok-5e8d-secret';
export const signingSecret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`;
export const everything = [name, email, phone, street, description];

const sensitiveValues = [
  ...['Zebedee', 'Quillfeather', email, phone, '0123 9876', street, 'Quagmire', description, 'widow'],
  ...[username, password, token, signingSecret, signingSecret.slice(6)],
  ...[`${username}:${password}`, everything.join(' ')].map((text) => Buffer.from(text).toString('base64')),
];

/** Whether a text contains a value, plain or JSON-escaped. */
export const containsValue = (text: string, value: string): boolean =>
  text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1));

/** The sensitive values that a text contains, plain or JSON-escaped. */
export const sensitiveValuesIn = (text: string): readonly string[] =>
  sensitiveValues.filter((value) => containsValue(text, value));

/** A Qualia order with all personal data. */
export const personalOrder = (fields: Readonly<Record<string, unknown>> = {}) =>
  qualiaOrder({
    customer_name: name,
    customer_contact: { name, phone, email },
    borrowers: [{ full_name: name, first_name: 'Zebedee', last_name: 'Quillfeather' }],
    sellers: [{ full_name: name }],
    properties: [{ address_1: street, city: 'Quagmire', state: 'CA', zipcode: '93650' }],
    due_date: name,
    price: phone,
    ...fields,
  });

/** Responses of a broken API: not JSON, or an echo of the request. */
export const garbage = `<html>${everything.join(' ')} ${token} ${password}</html>`;
export const echo = { error: garbage, order: personalOrder() };

/** The personal data in a CSV file that people open: full names, and access keys of galleries. */
export const peopleIn = (csv: string): readonly string[] => {
  const [header = [], ...rows] = readCsv(csv) ?? [];
  const column = (name: string) => {
    const index = header.indexOf(name);
    // A cell that would run as a formula begins with a quote.
    return (row: readonly string[]): string => (row[index] ?? '').replace(/^'/, '');
  };
  const [first, last, accessCode] = [column('first_name'), column('last_name'), column('access_code')];
  return [...new Set(rows.flatMap((row) => [`${first(row)} ${last(row)}`, accessCode(row)]))].filter(
    (value) => value.trim().length >= 4,
  );
};
