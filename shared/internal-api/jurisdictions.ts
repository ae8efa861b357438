import { visibleText } from './values';

/**
 * The 54 jurisdictions that the internal API accepts: 50 states, the District of Columbia, Puerto Rico, the U.S. Virgin
 * Islands and Guam (docs/contracts/internal-api.md).
 */
export const jurisdictions = {
  AL: 'Alabama',
  AK: 'Alaska',
  AZ: 'Arizona',
  AR: 'Arkansas',
  CA: 'California',
  CO: 'Colorado',
  CT: 'Connecticut',
  DE: 'Delaware',
  FL: 'Florida',
  GA: 'Georgia',
  HI: 'Hawaii',
  ID: 'Idaho',
  IL: 'Illinois',
  IN: 'Indiana',
  IA: 'Iowa',
  KS: 'Kansas',
  KY: 'Kentucky',
  LA: 'Louisiana',
  ME: 'Maine',
  MD: 'Maryland',
  MA: 'Massachusetts',
  MI: 'Michigan',
  MN: 'Minnesota',
  MS: 'Mississippi',
  MO: 'Missouri',
  MT: 'Montana',
  NE: 'Nebraska',
  NV: 'Nevada',
  NH: 'New Hampshire',
  NJ: 'New Jersey',
  NM: 'New Mexico',
  NY: 'New York',
  NC: 'North Carolina',
  ND: 'North Dakota',
  OH: 'Ohio',
  OK: 'Oklahoma',
  OR: 'Oregon',
  PA: 'Pennsylvania',
  RI: 'Rhode Island',
  SC: 'South Carolina',
  SD: 'South Dakota',
  TN: 'Tennessee',
  TX: 'Texas',
  UT: 'Utah',
  VT: 'Vermont',
  VA: 'Virginia',
  WA: 'Washington',
  WV: 'West Virginia',
  WI: 'Wisconsin',
  WY: 'Wyoming',
  DC: 'District of Columbia',
  PR: 'Puerto Rico',
  VI: 'U.S. Virgin Islands',
  GU: 'Guam',
} as const;

export type StateCode = keyof typeof jurisdictions;

export interface Jurisdiction {
  readonly stateCode: StateCode;
  readonly stateName: string;
}

const otherNames: Readonly<Record<string, StateCode>> = { 'Virgin Islands': 'VI', 'US Virgin Islands': 'VI' };

/** `DC` and `Washington DC` as people write them: with commas, periods and spaces anywhere. */
const districtNames = ['dc', 'washingtondc'];
const isDistrict = (folded: string): boolean => districtNames.includes(folded.replace(/[,. ]/g, ''));

const fold = (text: string): string => visibleText(text).toLowerCase();

const codes = Object.keys(jurisdictions) as StateCode[];

const byName = new Map<string, StateCode>([
  ...codes.map((code) => [fold(code), code] as const),
  ...codes.map((code) => [fold(jurisdictions[code]), code] as const),
  ...Object.entries(otherNames).map(([name, code]) => [fold(name), code] as const),
]);

/**
 * Looks a jurisdiction up by its two-letter code or its name, in any case, with any white space, and with characters in
 * it that cannot be seen.
 */
export const findJurisdiction = (text: string): Jurisdiction | undefined => {
  const folded = fold(text);
  const stateCode = isDistrict(folded) ? 'DC' : byName.get(folded);
  return stateCode && { stateCode, stateName: jurisdictions[stateCode] };
};
