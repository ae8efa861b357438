/**
 * The 54 jurisdictions that the internal API knows: 50 states, the District of Columbia, Puerto Rico, the U.S. Virgin
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

const otherNames: Readonly<Record<string, StateCode>> = {
  'Virgin Islands': 'VI',
  'US Virgin Islands': 'VI',
  'D.C.': 'DC',
  'Washington DC': 'DC',
  'Washington, D.C.': 'DC',
};

const fold = (text: string): string => text.trim().replace(/\s+/g, ' ').toLowerCase();

const codes = Object.keys(jurisdictions) as StateCode[];

const byName = new Map<string, StateCode>([
  ...codes.map((code) => [fold(code), code] as const),
  ...codes.map((code) => [fold(jurisdictions[code]), code] as const),
  ...Object.entries(otherNames).map(([name, code]) => [fold(name), code] as const),
]);

/** Looks a jurisdiction up by its two-letter code or its name, in any case, with any white space. */
export const findJurisdiction = (text: string): Jurisdiction | undefined => {
  const stateCode = byName.get(fold(text));
  return stateCode && { stateCode, stateName: jurisdictions[stateCode] };
};
