/**
 * Words for sample orders. They look real and belong to no one: e-mail addresses are at example.com, phone
 * numbers are from the range 555-01xx, which is reserved for fiction.
 */

export const firstNames = [
  'Maria',
  'James',
  'Aisha',
  'Wei',
  'Olivia',
  'Mateo',
  'Grace',
  'Noah',
  'Zoë',
  "D'Andre",
] as const;
export const middleNames = ['Anne', 'Lee', 'Q.', 'José', 'Marie', 'Ray'] as const;
export const lastNames = [
  'Sample',
  'Testington',
  "O'Example",
  'Fictor',
  'Doe-Placeholder',
  'Mockley',
  'Specimán',
] as const;
export const agencies = [
  'Sample Title & Escrow, LLC',
  'Placeholder Abstract Company',
  'Example Settlement Services Inc.',
  'First Fictional Title Agency',
] as const;
export const lenders = ['Example Savings Bank', 'Mock Mortgage Corp.', 'Fictional Federal Credit Union'] as const;
export const underwriters = ['Specimen National Title', 'Placeholder Guaranty', 'Example Title Insurance Co.'] as const;
export const streets = [
  'Sample Street',
  'Example Avenue',
  'Mockingbird Lane',
  'Placeholder Drive',
  'Test Blvd',
] as const;
export const cities = ['Springfield', 'Riverton', 'Fairview', 'Sampleton', 'San Ejemplo', "St. Mock's"] as const;
export const counties = ['Example', 'Sample', 'Placeholder', 'Fictional'] as const;

export const purposes = ['Purchase', 'Refinance', 'Equity', 'Foreclosure'] as const;
export const transactionTypes = ['Residential', 'Commercial', 'Land'] as const;
export const loanTypes = ['Conventional', 'FHA', 'VA', 'USDA', 'Jumbo'] as const;

type Product = readonly [type: string, name: string];

/** Each vertical with the products sold in it. */
export const verticals: readonly { readonly vertical: string; readonly products: readonly [Product, ...Product[]] }[] =
  [
    {
      vertical: 'Title',
      products: [
        ['title_search', 'Full Title Search (30 years)'],
        ['current_owner', 'Current Owner Search'],
      ],
    },
    {
      vertical: 'Notary',
      products: [
        ['mobile_signing', 'Mobile Notary Signing'],
        ['remote_online', 'Remote Online Notarization'],
      ],
    },
    {
      vertical: 'Survey',
      products: [
        ['boundary_survey', 'Boundary Survey'],
        ['alta_survey', 'ALTA/NSPS Land Title Survey'],
      ],
    },
    {
      vertical: 'ReleaseTracking',
      products: [
        ['mortgage_release', 'Mortgage Release Tracking'],
        ['lien_release', 'Lien Release Tracking'],
      ],
    },
    {
      vertical: 'Other',
      products: [
        ['tax_certificate', 'Tax Certificate'],
        ['municipal_lien', 'Municipal Lien Search'],
      ],
    },
  ];

/** Statuses, with whether an order in it is still open. */
export const statuses = [
  { flag: 'open', open: true },
  { flag: 'pending', open: true },
  { flag: 'accepted', open: true },
  { flag: 'submitted', open: true },
  { flag: 'revision_required', open: true },
  { flag: 'completed', open: false },
  { flag: 'cancelled', open: false },
] as const;

export const productDescription = [
  'Please search the public records of the county for the property described in this order and report every deed,',
  'mortgage, assignment, judgment, lien, easement, restriction and tax matter that affects it. The search period runs',
  'from the effective date back to the vesting deed, or thirty years, whichever is longer. Copies of all instruments are',
  'returned as searchable PDF files, one file an instrument, named by book and page. Taxes are reported for the current',
  'and the two preceding years with amounts due, amounts paid, parcel numbers and exemptions. If the chain of title is',
  'broken, or a name search returns more than twenty-five results, ask before going on. Fees above the quoted price need',
  'written approval of the customer. "Rush" orders are due on the next business day by 5 p.m. local time; all others',
  'within three business days. Contact the customer for access codes, gates, dogs, and tenants.',
  '',
  'Notarial orders: two forms of identification for each signer, blue ink, no corrections without initials, scan-backs',
  'before the package ships, and the package shipped on the day of the signing. Call each signer on the day before. If a',
  'signer does not appear, wait thirty minutes and report it as an attempt, with the time and the place. Surveys: a field',
  'crew of at least two, monuments found and set are shown with their coordinates, encroachments are dimensioned, flood',
  'zone and panel are stated with their date, and the drawing is sealed by a surveyor who is licensed in the state where',
  'the property lies. Releases: record the satisfaction within the days that the statute gives, send the recorded copy,',
  'and report every thirty days until it is recorded. Certificates: state the issuer, the date of issue and the day until',
  'which the figures hold; utility, sewer, code enforcement and open permit matters are reported apart from taxes.',
  '',
  'Before you deliver, check that: the names on the order, the deed and the report agree, and where they do not, both are',
  'shown; the legal description was copied from the vesting deed and read against the plat; every page is upright and can',
  'be read; marginal notes are transcribed; each open mortgage shows its date, amount, lender, trustee, assignments and',
  'modifications; each judgment shows court, case, creditor, amount and the reason why it is thought to be against the',
  'same person; bankruptcies, probate files and divorces are named even when they are closed; gaps between the effective',
  'date and today are stated on the first page; and nothing is marked as clear that was not searched. Reports that fail',
  'this list come back as a revision and do not count as delivered on time.',
  '',
  'Invoices are submitted with the final report and name this order. A revision is acknowledged within four business',
  'hours and answered within one business day. Cancelled orders are paid for work done before the cancellation, at most',
  'half of the price quoted. Do not contact borrowers or sellers about price. Personal data seen while working on the',
  'order is kept for as long as the law asks and no longer. This text stands in for the scope of work that a vendor of a',
  'real order reads; it names nobody and binds nobody. — § 4(b), rev. 7 ✓',
].join('\n');

/** Tasks that the vendor still has to do. */
export const outstandingTasks = [
  'Upload final report',
  'Confirm effective date',
  'Acknowledge revision',
  'Submit invoice',
] as const;
