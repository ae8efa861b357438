import * as fc from 'fast-check';
import * as z from 'zod';
import { errorCodes, PipelineError } from '../../../shared/errors';
import { createIterableClient, type IterableClient } from '../../../shared/iterable/client';
import { pushResultSchema, readLines, toLine } from '../../../shared/iterable/parts';
import { type PushMode, type PushResult, pushUsers } from '../../../shared/iterable/push';
import {
  countRecord,
  failedCsv,
  integrationResults,
  noCounts,
  queryResultsCsv,
  rejectedCsv,
} from '../../../shared/iterable/report';
import { type IterableUser, readRow, type SourceRow, toSourceRow } from '../../../shared/iterable/rows';
import { parseJson } from '../../../shared/json';
import { secretOf } from '../../support/secrets';
import { stream } from '../../unit/shared/iterable/sample';
import { type Bytes, hostileBytes, largeCorpus, toBuffer } from '../bytes';
import { anyCoding, type Coding, codings } from '../codings';
import { csvFaults } from '../csv';
import type { FuzzTarget } from '../engine';
import { hostileTexts } from '../hostile-values';
import { leaksOf } from '../leaks';
import { anyTruncation, startResponseServer } from '../response-server';

const apiKey = 'key-5e8d-hunter2';

interface Input {
  readonly mode: PushMode;
  readonly status: number;
  readonly retryAfter: string;
  readonly body: Bytes;
  readonly coding?: Coding | undefined;
  readonly truncated: boolean;
  /** Values for some columns of the first row from the database. */
  readonly row: Partial<SourceRow>;
}

interface Outcome {
  readonly files: Readonly<Record<'queried' | 'rejected' | 'failed', string>>;
  readonly report: string;
  /** Whether all results are unchanged after they were written to a part and read again. */
  readonly unchanged: boolean;
  readonly users: number;
  /** Addresses of users whose profile counts as updated. */
  readonly updated: readonly string[];
  readonly results: number;
  /** Results including those of users that are left to a later turn. */
  readonly returned: number;
  readonly succeeded: number;
  readonly error?: PipelineError;
}

/** A clock with fractions of a millisecond. With whole milliseconds, even an unlimited pace would wait for the next one. */
const now = (): number => performance.timeOrigin + performance.now();

const open = async () => {
  const server = await startResponseServer();
  const unlimited = 1e9;
  const connect = (): IterableClient =>
    createIterableClient({
      baseUrl: server.origin,
      credential: secretOf({ api_key: apiKey }),
      useJwt: false,
      now,
      sleep: async () => onWait(),
      callsPerSecond: { updateUser: unlimited, updateUsers: unlimited, trackEvent: unlimited, trackEvents: unlimited },
    });
  return { server, connect, client: connect() };
};
/** Set for each input. */
let onWait: () => void = () => undefined;
let opened: ReturnType<typeof open> | undefined;

const rowOf = (id: number, changes: Partial<SourceRow> = {}): SourceRow =>
  toSourceRow((column) => {
    const values: Partial<SourceRow> = { id: String(id), email: `user${id}@example.com`, page: 'pricing' };
    const { [column]: value = column === 'event_time' ? '2026-11-20 10:02:33' : null } = { ...values, ...changes };
    return value;
  });

const responses = [
  { code: 'Success', msg: 'New fields created', params: null },
  { code: 'BadParams', msg: `no field of ${apiKey}`, params: { email: ['wrong'] } },
  { code: 'BatchTooLarge', msg: 'halve it' },
  { code: 'BadApiKey', msg: `Invalid key ${apiKey}` },
  {
    successCount: 1,
    failCount: 1,
    failedUpdates: { invalidEmails: ['user1@example.com'], notFoundEmails: [], invalidUserIds: [] },
    filteredOutFields: [apiKey],
    createdFields: ['plan_type'],
    invalidEmails: [],
  },
  { successCount: 2, failCount: 0, disallowedEventNames: ['page_view'] },
  { successCount: 0, failCount: 2 },
  { successCount: 1, failCount: 1, failedUpdates: { invalidPhoneEmails: ['user2@example.com'] } },
  { successCount: 1, failCount: 1, failedUpdates: { invalidEmails: [{ email: 'USER2@example.com' }] } },
  { successCount: 1, failCount: 1, failedUpdates: { notFoundEmails: ['cafe\u0301@example.com'] } },
];

const validInput: Input = {
  mode: 'bulk',
  status: 200,
  retryAfter: '0',
  body: Buffer.from(JSON.stringify(responses[4])),
  truncated: false,
  row: {},
};

/** The addresses in a response's lists of failed updates. Extracted without the code under test. */
const failedAddressesIn = (body: Bytes): readonly string[] => {
  const response = z.object({ failedUpdates: z.record(z.string(), z.unknown()) }).safeParse(parseJson(toBuffer(body)));
  const entries = Object.values(response.data?.failedUpdates ?? {}).flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  const addresses = entries.map((entry) => (typeof entry === 'object' && entry !== null ? entry.email : entry));
  return addresses.filter((address) => typeof address === 'string').map(normalized);
};
const normalized = (email: string): string => email.normalize('NFC').trim().toLowerCase();

const readBack = async (results: readonly PushResult[]): Promise<boolean> => {
  const lines = results.map(toLine).join('');
  const read = await readLines(stream([Buffer.from(lines)]), pushResultSchema);
  return read.map(toLine).join('') === lines;
};

const maxReportCharacters = 100_000;

/** Rows of the database, Iterable's responses to them, and the files that people open. */
export const iterable: FuzzTarget<Input, Outcome> = {
  name: 'iterable',
  corpus: {
    'a valid response': validInput,
    'a valid response that is truncated': { ...validInput, truncated: true },
    ...Object.fromEntries(codings.map((coding) => [`a valid response in ${coding}`, { ...validInput, coding }])),
    ...largeCorpus(responses[4], (body) => ({ ...validInput, body }), 'the response to a batch'),
    ...largeCorpus(responses[1], (body) => ({ ...validInput, mode: 'single', body }), 'the response to a user'),
    ...Object.fromEntries(
      responses
        .slice(7)
        .map((response) => [
          `the failed updates ${JSON.stringify(response.failedUpdates)}`,
          { ...validInput, body: Buffer.from(JSON.stringify(response)), row: { email: 'caf\u00e9@example.com' } },
        ]),
    ),
    'a code of 2 MB': {
      ...validInput,
      mode: 'single',
      body: Buffer.from(`{"code":"${'x'.repeat(2_000_000)}","msg":""}`),
    },
    'created fields of 2 MB': {
      ...validInput,
      body: Buffer.from(`{"successCount":2,"failCount":0,"createdFields":["${'x'.repeat(2_000_000)}"]}`),
    },
    ...Object.fromEntries(
      ['2026-02-30 10:00:00', '20261120', '20261120100233', '1795168953', '2026-11-20t10:02:33,5+00', '0'].map(
        (event_time) => [`the time ${event_time}`, { ...validInput, row: { event_time } }],
      ),
    ),
    'formulas in every column': {
      ...validInput,
      row: { first_name: '=1+1', last_name: '@A1', candidate: '-1', id: '+1' },
    },
  },
  arbitrary: fc.record({
    mode: fc.constantFrom('bulk', 'single'),
    status: fc.oneof(
      { weight: 12, arbitrary: fc.constant(200) },
      { weight: 1, arbitrary: fc.constantFrom(201, 302, 400, 401, 403, 404, 408, 409, 413, 418, 429, 500, 503, 599) },
    ),
    retryAfter: fc.constantFrom(
      '0',
      '1',
      '-1',
      '1e999',
      '999999999',
      'Fri, 31 Dec 9999 23:59:59 GMT',
      'wait 5',
      '9999999999',
    ),
    body: hostileBytes(responses),
    coding: anyCoding,
    truncated: anyTruncation,
    row: fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc.dictionary(
          fc.constantFrom('id', 'email', 'first_name', 'candidate', 'page', 'device', 'location', 'event_time'),
          fc.oneof(fc.constantFrom(null, ...hostileTexts), fc.string({ unit: 'binary', maxLength: 10 })),
          { maxKeys: 3, noNullPrototype: true },
        ),
      },
    ),
  }),
  run: async ({ mode, status, retryAfter, body, coding, truncated, row }, pause) => {
    onWait = pause;
    opened ??= open();
    const connection = await opened;
    connection.server.respond({
      status,
      headers: { 'retry-after': retryAfter },
      body: toBuffer(body),
      coding,
      truncated,
    });
    pause();

    const files = { queried: queryResultsCsv.header, rejected: rejectedCsv.header, failed: failedCsv.header };
    const users: IterableUser[] = [];
    for (const source of [rowOf(1, row), rowOf(2)]) {
      files.queried += queryResultsCsv.line(source);
      const read = readRow(source);
      if ('user' in read) users.push(read.user);
      else files.rejected += rejectedCsv.line(read.rejected);
    }

    const results: PushResult[] = [];
    let returned = 0;
    let counts = noCounts;
    let error: PipelineError | undefined;
    const context = { deadlineMs: now() + 60_000, onRetry: () => undefined };
    try {
      for await (const result of pushUsers(stream(users), { mode, client: connection.client, context, now })) {
        returned += 1;
        // The user is left to a later turn, so no result is written.
        if (result.openForMs !== undefined) continue;
        results.push(result);
        counts = countRecord(counts, result.record);
        files.failed += failedCsv.line(result);
      }
    } catch (thrown) {
      if (!(thrown instanceof PipelineError)) throw thrown;
      error = thrown;
      // A client makes no more calls after Iterable has refused its key.
      await connection.client.close();
      connection.client = connection.connect();
    }
    const summary = {
      ...counts,
      ...({ rejected: 0, retries: 0, authentication: 'api_key', mode, dry_run: false, duration_seconds: 1 } as const),
      started_at: '2026-11-22T10:00:00.000Z',
      finished_at: '2026-11-22T10:00:01.000Z',
    };
    return {
      files,
      report: [
        integrationResults.header(summary),
        ...results.map(({ record }, index) => integrationResults.record(record, index === 0)),
        integrationResults.footer,
      ].join(''),
      unchanged: await readBack(results),
      users: users.length,
      updated: results.filter(({ record }) => record.users_update.success).map(({ record }) => record.email),
      results: results.length,
      returned,
      succeeded: counts.successful + counts.partial_failures,
      ...(error && { error }),
    };
  },
  check: (
    { files, report, unchanged, users, updated, results, returned, succeeded, error },
    { mode, body, truncated },
  ) => [
    ...Object.entries(files).flatMap(([name, text]) => csvFaults(text).map((fault) => `${name}: ${fault}`)),
    ...(JSON.parse(report).records.length === results ? [] : ['the report lacks records']),
    ...(report.length <= maxReportCharacters ? [] : [`the report of ${results} users has ${report.length} characters`]),
    ...(unchanged ? [] : ['a result changed when it was written and read']),
    ...(returned === users || error !== undefined ? [] : [`${users} users had ${returned} results`]),
    ...(mode === 'bulk' && failedAddressesIn(body).some((email) => updated.map(normalized).includes(email))
      ? ['a user that the response lists as failed counts as updated']
      : []),
    ...(truncated && succeeded > 0 ? ['a truncated response was accepted'] : []),
    ...leaksOf(report + Object.values(files).join('') + (error?.message ?? ''), [apiKey]),
    ...(error === undefined || (errorCodes.includes(error.code) && error.code !== 'INTERNAL_FAULT')
      ? []
      : [`it failed with ${error.code}`]),
  ],
  secretTexts: [apiKey],
  close: async () => {
    const { server, client } = (await opened) ?? {};
    opened = undefined;
    await client?.close();
    await server?.stop();
  },
};
