import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { errorCodes, PipelineError } from '../../../shared/errors';
import { readBody } from '../../../shared/http/body';
import { parseJsonAsWritten } from '../../../shared/json';
import { groupByJob } from '../../../shared/netlife/activities';
import { contactLines, contactsHeader, contactsOf } from '../../../shared/netlife/contacts';
import { enrichSubjects, selectAudience, uniqueByUuid } from '../../../shared/netlife/enrich';
import { type Listing, readResponse, readRows } from '../../../shared/netlife/listing';
import { paginate } from '../../../shared/netlife/pages';
import {
  accessKeySchema,
  activitySchema,
  createdKeySchema,
  displayNameOf,
  jobDetailsSchema,
  jobUserSchema,
  subjectSchema,
  userDetailsSchema,
} from '../../../shared/netlife/schemas';
import type { RejectedRow } from '../../../shared/netlife/tally';
import { portalAt } from '../../support/netlife';
import { collect } from '../../unit/shared/iterable/sample';
import { type Bytes, hostileBytes, largeCorpus, toBuffer } from '../bytes';
import { anyCoding, type Coding, codings, encode } from '../codings';
import { csvFaults } from '../csv';
import type { FuzzTarget } from '../engine';
import { leaksOf } from '../leaks';

const person = 'Zebedee Quillfeather';

const subjectRow = {
  uuid: 'subject-1',
  external_id: 7,
  first_name: person,
  last_name: 'Q',
  name: person,
  group: '4a',
  country: 'US',
  delivery_1: { email_address: 'z@quillfeather.example', mobile_phone: '(555) 012-3987' },
  delivery_2: { email_address: '', mobile_phone: '+44 7700 900123' },
  images: [{ uuid: 'image-1', activity: { uuid: 'activity-1' } }, 'image-2'],
  group_images: { 'image-3': { activity_uuid: 'activity-2' } },
  image: null,
  activity_uuid: 'activity-1',
};

/** All responses that a contact is made from, in a portal's format. */
const responses = {
  activities: {
    data: [
      { uuid: 'activity-1', name: 'Spring', starting: '2026-03-01T08:00:00Z', job: { uuid: 'job-1' } },
      { uuid: 'activity-3', name: 'Never', starting: '2026-02-30T08:00:00Z', job: { uuid: 'job-1' } },
      { uuid: 'activity-4', name: 'Once', starting: 1_772_352_000, job: { uuid: 'job-1' } },
      { uuid: 'activity-2', name: 'Late', starting: '2026-03-02 08:00:00+0200', job: { uuid: 'job-1' } },
    ],
    meta: { next: null },
  },
  details: {
    name: 'Job 1',
    subjects: { 'subject-1': { images: ['image-2'] } },
    images: { 'image-2': { activity: { uuid: 'activity-2' } }, 'image-3': { activity_uuid: 'activity-1' } },
  },
  buyers: { results: [subjectRow], next: '/api/v1/jobs/job-1/subjects?page=2' },
  nonBuyers: [{ ...subjectRow, uuid: 'subject-2', delivery_1: [], phone_number: '5550123987', phone_number_2: 5_550 }],
  users: { data: [{ subjectUuid: 'subject-1', userUuid: 'user-1', userUsername: 'z@quillfeather.example' }], next: '' },
  keys: { access_keys: ['KEY-1', { access_key: 'KEY-2' }, { key: 'KEY-3' }] },
  created: { data: { access_key: 'KEY-4' } },
  userDetails: { phone_number: '555 012 3987' },
} as const;

type Call = keyof typeof responses;
const calls = Object.keys(responses) as Call[];

/** The replacement of one response. */
interface Input {
  readonly call: Call;
  readonly body: Bytes;
  readonly coding?: Coding | undefined;
}

interface Outcome {
  readonly csv: string;
  readonly rejected: readonly RejectedRow[];
  /** All ids that become path segments. */
  readonly ids: readonly string[];
  readonly error?: PipelineError;
}

const phones = [
  ...['555-012-3987 x89', '+44 (0)7700 900123', '+(44) 7700 900123', '011 44 7700 900123', '0044 7700 900123'],
  ...['+1 (1) 555 012 3987', '555-012-3987 / 555-999-8888', '\uff0b44 7700 900123', '1-800-FLOWERS', '(0)555 012 3987'],
];
/** Unsupported references of a page to further pages. */
const unsupportedNextLinks = [
  ...[{ next_page_url: '?page=2' }, { meta: { nextPage: 2 } }, { has_more: true }, { meta: { last_page: 2 } }],
  ...[{ total: 5 }, { links: { next: '?page=2' } }, { links: [{ rel: 'next' }] }, { meta: { next: '?a' }, next: '?b' }],
];

const portal = portalAt();
const limits = { api: 'netlife', maxBytes: 64 * 1_024 * 1_024, mayBeCut: false } as const;

/** Processes the responses like a run, from their bytes to the lines of the contacts file. */
const collectContacts = async ({ call, body, coding }: Input, pause: () => void): Promise<Outcome> => {
  const rejected: RejectedRow[] = [];
  const sent = encode(toBuffer(body), coding);
  pause();
  const received = await readBody(Readable.from([sent]), coding, limits);
  // Parsed once, like in the client, although several subjects share this response here.
  const replacement = parseJsonAsWritten(received);
  const responseTo = (one: Call): unknown => (one === call ? replacement : responses[one]);
  const rowsOf = <T>(one: Call, schema: Listing<T>['schema'], list: RejectedRow['list']): AsyncGenerator<T> => {
    let pages = 0;
    const rows = paginate(`${portal.basePath}/${one}`, portal, async () => ({
      json: pages++ === 0 ? responseTo(one) : [],
      statusCode: 200,
      headers: {},
    }));
    return readRows(rows, { portal: portal.name, schema, list }, (more) => {
      for (const row of more) rejected.push(row);
    });
  };
  const read = <T>(...listing: Parameters<typeof rowsOf<T>>): Promise<T[]> => collect(rowsOf(...listing));
  const firstKey = async (): Promise<string | undefined> => {
    for await (const key of rowsOf('keys', accessKeySchema, 'access_keys')) return key;
    return undefined;
  };

  const activities = await read('activities', activitySchema, 'activities');
  const jobs = groupByJob(uniqueByUuid(activities));
  const lines: string[] = [contactsHeader];
  const ids: string[] = [];
  for (const job of jobs.slice(0, 3)) {
    const details = readResponse(jobDetailsSchema, responseTo('details'), 'details of a job');
    const buyers = await read('buyers', subjectSchema, 'buyers');
    const nonBuyers = await read('nonBuyers', subjectSchema, 'non_buyers');
    const users = new Map(
      (await read('users', jobUserSchema, 'job_users')).map(({ subjectUuid, user }) => [subjectUuid, user]),
    );
    readResponse(userDetailsSchema, responseTo('userDetails'), 'details of a user');
    const audience = selectAudience({ buyers, nonBuyers }, 'both');
    const subjects = enrichSubjects({ job, subjects: audience, users, details });
    const code = call === 'created' ? createdKeySchema.safeParse(responseTo(call)).data : await firstKey();
    ids.push(job.uuid);
    for (const enriched of subjects) {
      ids.push(enriched.subject.uuid);
      JSON.stringify({ name: displayNameOf(enriched.subject) });
      if (code === undefined) continue;
      const context = {
        portal,
        job,
        jobName: details.name,
        consent: 'SUBSCRIBE',
        startedAt: '2026-11-22T01:02:03.000Z',
      };
      lines.push(contactLines(contactsOf(enriched, code, context)));
    }
  }
  return { csv: lines.join(''), rejected, ids };
};

const isJsonOf = (body: Bytes, json: object): boolean =>
  Buffer.isBuffer(body) && body.equals(Buffer.from(JSON.stringify(json)));

const id = /^[A-Za-z0-9][\w-]{0,99}$/;
const secretTexts = [person, 'quillfeather'];

/** Netlife's pages and rows, from bytes to the contacts file. */
export const netlife: FuzzTarget<Input, Outcome> = {
  name: 'netlife',
  corpus: {
    'valid responses': { call: 'buyers', body: Buffer.from(JSON.stringify(responses.buyers)) },
    ...Object.assign({}, ...calls.map((call) => largeCorpus(responses[call], (body) => ({ call, body }), call))),
    ...Object.fromEntries(
      codings.map((coding) => [
        `buyers in ${coding}`,
        { call: 'buyers' as const, body: Buffer.from(JSON.stringify(responses.buyers)), coding },
      ]),
    ),
    'an array of 3 MiB for the images of a job': {
      call: 'details',
      body: { large: 'an array of 3 MiB', within: { path: 'images', before: '{"images":', after: '}' } },
    },
    'a phone number of 20,000 plus signs': {
      call: 'nonBuyers',
      body: Buffer.from(
        JSON.stringify([
          { ...subjectRow, uuid: 'subject-2', delivery_1: { mobile_phone: `${'+'.repeat(20_000)}1234567890` } },
        ]),
      ),
    },
    'phone numbers in many notations': {
      call: 'nonBuyers',
      body: Buffer.from(
        JSON.stringify(
          phones.map((mobile_phone, index) => ({
            ...subjectRow,
            uuid: `subject-${index}`,
            delivery_1: { mobile_phone },
          })),
        ),
      ),
    },
    'formulas behind invisible characters': {
      call: 'nonBuyers',
      body: Buffer.from(
        JSON.stringify([
          { ...subjectRow, first_name: '\n=1+1', last_name: '\u00a0=1+1', parent_name: '\uff1d1+1', group: ' @A1' },
        ]),
      ),
    },
    ...Object.fromEntries(
      unsupportedNextLinks.map((more) => [
        `a list that continues with ${JSON.stringify(more)}`,
        { call: 'nonBuyers', body: Buffer.from(JSON.stringify({ data: responses.nonBuyers, ...more })) },
      ]),
    ),
    'an access key that is a lone surrogate': { call: 'keys', body: Buffer.from('["\\ud800"]') },
  },
  arbitrary: fc
    .constantFrom(...calls)
    .chain((call) => fc.record({ call: fc.constant(call), body: hostileBytes([responses[call]]), coding: anyCoding })),
  run: async (input, pause) => {
    try {
      return await collectContacts(input, pause);
    } catch (error) {
      if (error instanceof PipelineError) return { csv: contactsHeader, rejected: [], ids: [], error };
      throw error;
    }
  },
  check: ({ csv, rejected, ids, error }, { body }) => [
    ...(error === undefined &&
    unsupportedNextLinks.some((more) => isJsonOf(body, { data: responses.nonBuyers, ...more }))
      ? ['an incomplete list was accepted as complete']
      : []),
    ...csvFaults(csv),
    ...(ids.every((one) => id.test(one)) ? [] : ['an id is not a valid path segment']),
    ...leaksOf(JSON.stringify(rejected), secretTexts),
    ...(error === undefined || (errorCodes.includes(error.code) && error.code !== 'INTERNAL_FAULT')
      ? []
      : [`it failed with ${error.code}`]),
    ...leaksOf(error?.message ?? '', secretTexts),
  ],
  secretTexts,
};
