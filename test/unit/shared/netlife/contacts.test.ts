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

const first = (of: EnrichedSubject, key = 'K 1/ü', of2 = context) => contactsOf(of, key, of2)[0];

const columns: [string, EnrichedSubject, Partial<Record<ContactColumn, string>>][] = [
  ['whose it is', enriched(), { portal: 'nowandforeverphoto', job_uuid: 'job-1', job_name: 'Job 1' }],
  [
    'who it is',
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
  ['no buyer', enriched(), { buyer: 'No' }],
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
    'consent since the run started, when the start of the activity is no instant',
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

test.each(columns)('%s', (_rule, of, cells) => {
  expect(first(of)).toMatchObject(cells);
});

test('one contact for each activity', () => {
  const contacts = contactsOf(
    enriched({}, { activities: [activity(), activity({ uuid: 'activity-2' })] }),
    'K',
    context,
  );
  expect(contacts.map((contact) => contact.activity_uuid)).toEqual(['activity-1', 'activity-2']);
});

test("the run's consent", () => {
  expect(first(enriched(), 'K', { ...context, consent: 'UNSUBSCRIBE' })).toMatchObject({
    sms_marketing_consent: 'UNSUBSCRIBE',
    sms_transactional_consent: 'UNSUBSCRIBE',
  });
});

const [one, two, three, four] = ['5550000001', '5550000002', '5550000003', '5550000004'];
const shown = (digit: number) => `+1 (555) 000-000${digit}`;
const delivery = (mobile_phone: unknown, email_address: unknown = null) => ({ mobile_phone, email_address });

test.each([
  ['the first delivery', { delivery_1: delivery(one), delivery_2: delivery(two), phone_number: three }, shown(1)],
  ['the second delivery', { delivery_1: delivery(' '), delivery_2: delivery(two), phone_number: three }, shown(2)],
  ["the subject's own", { delivery_1: [], phone_number: three }, shown(3)],
  ['none', {}, ''],
])('phone_number: %s', (_rule, row, phone) => {
  expect(reachOf(subject(row)).phoneNumber).toBe(phone);
});

test.each([
  ["the second delivery's", { delivery_1: delivery(one), delivery_2: delivery(two), phone_number_2: four }, shown(2)],
  [
    'the own one, when both are equal',
    { delivery_1: delivery(one), delivery_2: delivery(one), phone_number_2: four },
    shown(4),
  ],
  [
    'equal numbers may be written differently',
    { delivery_1: delivery(one), delivery_2: delivery('+1 555-000-0001'), phone_number_2: four },
    shown(4),
  ],
  ['the own one, without a second delivery', { delivery_1: delivery(one), phone_number_2: four }, shown(4)],
  ['the second delivery differs from none', { delivery_2: delivery(two), phone_number_2: four }, shown(2)],
])('phone_number_2: %s', (_rule, row, phone) => {
  expect(reachOf(subject(row)).phoneNumber2).toBe(phone);
});

test.each([
  ['the first delivery', { delivery_1: delivery(null, ' a@x.example '), email: 'c@x.example' }, 'a@x.example'],
  ['the second delivery', { delivery_2: delivery(null, 'b@x.example'), email: 'c@x.example' }, 'b@x.example'],
  ["the subject's own", { email: 'c@x.example' }, 'c@x.example'],
])('email: %s', (_rule, row, email) => {
  expect(reachOf(subject(row)).email).toBe(email);
});

test.each([
  ["the second delivery's", 'b@x.example', 'b@x.example'],
  ['the own one, when both are equal', 'a@x.example', 'd@x.example'],
  ['the own one, when both are equal but for case', 'A@X.example', 'd@x.example'],
])('email_2: %s', (_rule, email_address, email2) => {
  const row = {
    delivery_1: delivery(null, 'a@x.example'),
    delivery_2: delivery(null, email_address),
    email_2: 'd@x.example',
  };
  expect(reachOf(subject(row)).email2).toBe(email2);
});

test('phone numbers that cannot be dialled are empty, and counted', () => {
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
  ['phone-only', false, phone, undefined, true],
  ['phone-only', false, reachOf(subject({ phone_number_2: one })), undefined, true],
  ['phone-only', false, email, undefined, false],
  ['phone-only', false, neither, undefined, false],
  ['email-only', false, email, undefined, true],
  ['email-only', false, phone, undefined, false],
  ['any', false, neither, undefined, true],
  ['any', true, phone, undefined, false],
  ['any', true, neither, user, true],
  ['phone-only', true, email, user, false],
] as const)('filter %s, registered only %s', (contactFilter, registeredOnly, reach, registeredUser, wanted) => {
  expect(isWanted({ reach, registeredUser }, { contactFilter, registeredOnly })).toBe(wanted);
});

describe('the file', () => {
  test('has the header of the contract', () => {
    expect(contactsHeader).toBe(
      'portal,job_uuid,job_name,subject_uuid,external_id,first_name,last_name,parent_name,phone_number,phone_number_2,email,email_2,country,group,buyer,access_code,url,custom_gallery_url,sms_marketing_consent,sms_marketing_timestamp,sms_transactional_consent,sms_transactional_timestamp,activity_uuid,activity_name,registered_user,registered_user_email,registered_user_uuid,resolution_strategy\n',
    );
  });

  test('guards every cell against formulas, but leaves phone numbers', () => {
    const evil = '=cmd()';
    const cells = Object.fromEntries(contactColumns.map((column) => [column, evil])) as Record<ContactColumn, string>;
    const line = contactLines([{ ...cells, phone_number: shown(1), phone_number_2: '+447700900123' }]);
    const expected = contactColumns.map(() => `'${evil}`);
    expected.splice(contactColumns.indexOf('phone_number'), 2, shown(1), '+447700900123');
    expect(line).toBe(`${expected.join(',')}\n`);
  });

  test('is named after the run', () => {
    expect(
      contactsFileName(portalAt(), { audience: 'non-buyers', contactFilter: 'phone-only' }, '2026-11-22T01:02:03.456Z'),
    ).toBe('contacts_nowandforeverphoto_non-buyers_phone-only_20261122_010203.csv');
  });
});
