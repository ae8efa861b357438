import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** North American numbers: ten digits. The first is not 0 (a trunk prefix elsewhere) and not 1. */
const northAmerican = /^([2-9]\d{2})(\d{3})(\d{4})$/;
/** The same as it is written most often, with or without the country code: the library needs 50 µs for it. */
const writtenPlainly = /^(?:\+?1[ .-]?)?(?:\(([2-9]\d{2})\)|([2-9]\d{2}))[ .-]?(\d{3})[ .-]?(\d{4})$/;
const minDigits = 10;
/** The library also refuses a longer text, but normalization to NFKC could make it much longer first. */
const maxLength = 250;

/**
 * A phone number as the contacts file has it (docs/contracts/netlife.md): `+1 (AAA) BBB-CCCC`, or E.164 for another
 * country code. A number without `+` is read as dialled from the United States. The library parses the notation
 * (extensions, trunk zeros in brackets, full-width digits) and checks the number of digits for the country. Whether a
 * number is in use is not checked, because the library cannot know for certain.
 *
 * @returns the empty string for text that is not a phone number, or that cannot be dialled
 */
export const formatPhone = (written: string): string => {
  if (written.length > maxLength) return '';
  const plain = writtenPlainly.exec(written.trim());
  if (plain !== null) return `+1 (${plain[1] ?? plain[2]}) ${plain[3]}-${plain[4]}`;
  const phone = parsePhoneNumberFromString(written.normalize('NFKC'), 'US');
  if (!phone?.isPossible()) return '';
  if (phone.countryCallingCode === '1') {
    const [, area, exchange, line] = northAmerican.exec(phone.nationalNumber) ?? [];
    return area === undefined ? '' : `+1 (${area}) ${exchange}-${line}`;
  }
  return phone.number.length > minDigits ? phone.number : '';
};
