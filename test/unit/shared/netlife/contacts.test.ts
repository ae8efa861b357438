import {
  type ContactColumn,
  type ContactContext,
  contactColumns,
  contactLines,
  contactsFileName,
  contactsHeader,
  contactsOf,
  type EnrichedSubject,
  isWanted,
  reachOf,
} from '../../../../shared/netlife/contacts';
import { activity, portalAt, subject } from '../../../support/netlife';

const enriched = (
  row: Readonly<Record<string, unknown>> = {},
  more: Partial<EnrichedSubject> = {},
): EnrichedSubject => ({
  subject: subject(row),
  buyer: false,
  reach: reachOf(subject(row)),
  registeredUser: undefined,
  activities: [activity()],
  strategy: 'images',
  ...more,
});

const context: ContactContext = {
  portal: portalAt(),
  job: { uuid: 'job-1' },
  jobName: 'Job 1',
  consent: 'SUBSCRIBE',
  startedAt: '2026-11-22T01:02:03.000Z',
};

const firstContact = (enrichedSubject: EnrichedSubject, key = 'K 1/ü', contactContext = context) =>
  contactsOf(enrichedSubject, key, contactContext)[0];

const columns: [string, EnrichedSubject, Partial<Record<ContactColumn, string>>][] = [
  ['the portal and the job', enriched(), { portal: 'nowandforeverphoto', job_uuid: 'job-1', job_name: 'Job 1' }],
  [
    'the subject',
    enriched({ external_id: 7, first_name: 'Ada', last_name: 'B', parent_name: 'P', group: 'G', country: 'US' }),
    {
      subject_uuid: 'subject-1',
      external_id: '7',
      first_name: 'Ada',
      last_name: 'B',
      parent_name: 'P',
      group: 'G',
      country: 'US',
    },
  ],
  ['a buyer', enriched({}, { buyer: true }), { buyer: 'Yes' }],
  ['a non-buyer', enriched(), { buyer: 'No' }],
  [
    'links',
    enriched(),
    {
      access_code: 'K 1/ü',
      url: 'https://nowandforeverphoto.shop/gallery/subject-1',
      custom_gallery_url: 'https://nowandforeverphoto.shop/?code=K%201%2F%C3%BC',
    },
  ],
  [
    'consent since the activity started',
    enriched(),
    {
      sms_marketing_consent: 'SUBSCRIBE',
      sms_marketing_timestamp: '2026-03-01T08:00:00Z',
      sms_transactional_consent: 'SUBSCRIBE',
      sms_transactional_timestamp: '2026-03-01T08:00:00Z',
    },
  ],
  [
    'consent since the run started',
    enriched({}, { activities: [activity({ starting: null })] }),
    { sms_marketing_timestamp: context.startedAt, sms_transactional_timestamp: context.startedAt },
  ],
  [
    'consent since the run started, if the start of the activity is not an instant',
    enriched({}, { activities: [activity({ starting: '2026-02-30T08:00:00Z' })] }),
    { sms_marketing_timestamp: context.startedAt, sms_transactional_timestamp: context.startedAt },
  ],
  ['the activity', enriched(), { activity_uuid: 'activity-1', activity_name: 'Spring', resolution_strategy: 'images' }],
  ['the strategy', enriched({}, { strategy: 'job' }), { resolution_strategy: 'job' }],
  ['no registered user', enriched(), { registered_user: 'No', registered_user_email: '', registered_user_uuid: '' }],
  [
    'a registered user',
    enriched({}, { registeredUser: { userUuid: 'u1', email: 'a@x.example' } }),
    { registered_user: 'Yes', registered_user_email: 'a@x.example', registered_user_uuid: 'u1' },
  ],
];

test.each(columns)('the columns for %s', (_rule, enrichedSubject, cells) => {
  expect(firstContact(enrichedSubject)).toMatchObject(cells);
});

test('a subject has one contact for each activity', () => {
  const contacts = contactsOf(
    enriched({}, { activities: [activity(), activity({ uuid: 'activity-2' })] }),
    'K',
    context,
  );
  expect(contacts.map((contact) => contact.activity_uuid)).toEqual(['activity-1', 'activity-2']);
});

test('the consent is that of the run', () => {
  expect(firstContact(enriched(), 'K', { ...context, consent: 'UNSUBSCRIBE' })).toMatchObject({
    sms_marketing_consent: 'UNSUBSCRIBE',
    sms_transactional_consent: 'UNSUBSCRIBE',
  });
});

const [one, two, three, four] = ['5550000001', '5550000002', '5550000003', '5550000004'];
const formatted = (digit: number) => `+1 (555) 000-000${digit}`;
const delivery = (mobile_phone: unknown, email_address: unknown = null) => ({ mobile_phone, email_address });

test.each([
  ['the first delivery', { delivery_1: delivery(one), delivery_2: delivery(two), phone_number: three }, formatted(1)],
  ['the second delivery', { delivery_1: delivery(' '), delivery_2: delivery(two), phone_number: three }, formatted(2)],
  ["the subject's own number", { delivery_1: [], phone_number: three }, formatted(3)],
  ['none', {}, ''],
])('phone_number: %s', (_rule, row, phone) => {
  expect(reachOf(subject(row)).phoneNumber).toBe(phone);
});

test.each([
  [
    "the second delivery's number",
    { delivery_1: delivery(one), delivery_2: delivery(two), phone_number_2: four },
    formatted(2),
  ],
  [
    "the subject's own number, if the deliveries have the same one",
    { delivery_1: delivery(one), delivery_2: delivery(one), phone_number_2: four },
    formatted(4),
  ],
  [
    "the subject's own number, if the deliveries have the same one in different formats",
    { delivery_1: delivery(one), delivery_2: delivery('+1 555-000-0001'), phone_number_2: four },
    formatted(4),
  ],
  [
    "the subject's own number, without a second delivery",
    { delivery_1: delivery(one), phone_number_2: four },
    formatted(4),
  ],
  [
    "the second delivery's number, without a first delivery",
    { delivery_2: delivery(two), phone_number_2: four },
    formatted(2),
  ],
])('phone_number_2: %s', (_rule, row, phone) => {
  expect(reachOf(subject(row)).phoneNumber2).toBe(phone);
});

test.each([
  ['the first delivery', { delivery_1: delivery(null, ' a@x.example '), email: 'c@x.example' }, 'a@x.example'],
  ['the second delivery', { delivery_2: delivery(null, 'b@x.example'), email: 'c@x.example' }, 'b@x.example'],
  ["the subject's own address", { email: 'c@x.example' }, 'c@x.example'],
])('email: %s', (_rule, row, email) => {
  expect(reachOf(subject(row)).email).toBe(email);
});

test.each([
  ["the second delivery's address", 'b@x.example', 'b@x.example'],
  ["the subject's own address, if the deliveries have the same one", 'a@x.example', 'd@x.example'],
  ["the subject's own address, if the deliveries have the same one in another case", 'A@X.example', 'd@x.example'],
])('email_2: %s', (_rule, email_address, email2) => {
  const row = {
    delivery_1: delivery(null, 'a@x.example'),
    delivery_2: delivery(null, email_address),
    email_2: 'd@x.example',
  };
  expect(reachOf(subject(row)).email2).toBe(email2);
});

test('invalid phone numbers are empty, and counted', () => {
  expect(reachOf(subject({ phone_number: '123', phone_number_2: '555-1234' }))).toMatchObject({
    phoneNumber: '',
    phoneNumber2: '',
    unusablePhones: 2,
  });
  expect(reachOf(subject({ phone_number: '', phone_number_2: one }))).toMatchObject({ unusablePhones: 0 });
});

const phone = reachOf(subject({ phone_number: one }));
const email = reachOf(subject({ email: 'a@x.example' }));
const neither = reachOf(subject({ phone_number: '123' }));
const user = { userUuid: 'u', email: '' };
test.each([
  ['phone-only', false, 'a phone number', true, phone, undefined],
  ['phone-only', false, 'a second phone number', true, reachOf(subject({ phone_number_2: one })), undefined],
  ['phone-only', false, 'an e-mail address', false, email, undefined],
  ['phone-only', false, 'neither', false, neither, undefined],
  ['email-only', false, 'an e-mail address', true, email, undefined],
  ['email-only', false, 'a phone number', false, phone, undefined],
  ['any', false, 'neither', true, neither, undefined],
  ['any', true, 'a phone number', false, phone, undefined],
  ['any', true, 'neither, but a registered user', true, neither, user],
  ['phone-only', true, 'an e-mail address and a registered user', false, email, user],
] as const)(
  'with the filter %s and registered_only %s, a subject with %s is included: %s',
  (contactFilter, registeredOnly, _subject, isIncluded, reach, registeredUser) => {
    expect(isWanted({ reach, registeredUser }, { contactFilter, registeredOnly })).toBe(isIncluded);
  },
);

describe('the file', () => {
  test('has the header of the contract', () => {
    expect(contactsHeader).toBe(
      'portal,job_uuid,job_name,subject_uuid,external_id,first_name,last_name,parent_name,phone_number,phone_number_2,email,email_2,country,group,buyer,access_code,url,custom_gallery_url,sms_marketing_consent,sms_marketing_timestamp,sms_transactional_consent,sms_transactional_timestamp,activity_uuid,activity_name,registered_user,registered_user_email,registered_user_uuid,resolution_strategy\n',
    );
  });

  test('guards every cell against formulas, except phone numbers', () => {
    const evil = '=cmd()';
    const cells = Object.fromEntries(contactColumns.map((column) => [column, evil])) as Record<ContactColumn, string>;
    const line = contactLines([{ ...cells, phone_number: formatted(1), phone_number_2: '+447700900123' }]);
    const expected = contactColumns.map(() => `'${evil}`);
    expected.splice(contactColumns.indexOf('phone_number'), 2, formatted(1), '+447700900123');
    expect(line).toBe(`${expected.join(',')}\n`);
  });

  test('is named after the run', () => {
    expect(
      contactsFileName(portalAt(), { audience: 'non-buyers', contactFilter: 'phone-only' }, '2026-11-22T01:02:03.456Z'),
    ).toBe('contacts_nowandforeverphoto_non-buyers_phone-only_20261122_010203.csv');
  });
});
