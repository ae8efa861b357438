import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** North America's numbers: ten digits, of which the first is no 0 (a trunk prefix elsewhere) and no 1. */
const northAmerican = /^([2-9]\d{2})(\d{3})(\d{4})$/;
/** The same as it is written most often, with or without the country code: the library needs 50 µs for it. */
const writtenPlainly = /^(?:\+?1[ .-]?)?(?:\(([2-9]\d{2})\)|([2-9]\d{2}))[ .-]?(\d{3})[ .-]?(\d{4})$/;
const fewestDigits = 10;
/** The library refuses a longer text too, but Unicode's compatibility form could make one much longer first. */
const mostCharacters = 250;

/**
 * A phone number as the contacts file has it (docs/contracts/netlife.md): `+1 (AAA) BBB-CCCC`, or E.164 for another
 * country code. A number without `+` is dialled from the United States. The library reads the notation (extensions, trunk
 * zeros in brackets, full-width digits) and knows how many digits a country's numbers have. Whether a number is in use it
 * does not know for certain, so that is not asked.
 *
 * @returns the empty text for what is no number, or one that nobody could dial
 */
export const formatPhone = (written: string): string => {
  if (written.length > mostCharacters) return '';
  const plain = writtenPlainly.exec(written.trim());
  if (plain !== null) return `+1 (${plain[1] ?? plain[2]}) ${plain[3]}-${plain[4]}`;
  const phone = parsePhoneNumberFromString(written.normalize('NFKC'), 'US');
  if (!phone?.isPossible()) return '';
  if (phone.countryCallingCode === '1') {
    const [, area, exchange, line] = northAmerican.exec(phone.nationalNumber) ?? [];
    return area === undefined ? '' : `+1 (${area}) ${exchange}-${line}`;
  }
  return phone.number.length > fewestDigits ? phone.number : '';
};
