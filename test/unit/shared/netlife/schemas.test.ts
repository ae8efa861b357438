import {
  accessKeySchema,
  activitySchema,
  createdKeySchema,
  displayNameOf,
  jobDetailsSchema,
  jobUserSchema,
  reasonOf,
  subjectSchema,
  subjectUserSchema,
  uuidOf,
} from '../../../../shared/netlife/schemas';
import { subject } from '../../../support/netlife';

describe('subjects', () => {
  test('only the uuid is required, numbers are read as text, and unknown fields are dropped', () => {
    expect(subjectSchema.parse({ uuid: 17, external_id: 4, first_name: null, whatever: { email: 'x' } })).toEqual({
      uuid: '17',
      externalId: '4',
      firstName: '',
      lastName: '',
      parentName: '',
      name: '',
      group: '',
      country: '',
      delivery1: { email: '', phone: '' },
      delivery2: { email: '', phone: '' },
      phoneNumber: '',
      email: '',
      phoneNumber2: '',
      email2: '',
      images: [],
      activityUuid: undefined,
    });
  });

  test.each([[null], [[]], [{}], [{ email_address: null, mobile_phone: null }]])('a delivery can be %j', (delivery) => {
    expect(subject({ delivery_1: delivery }).delivery1).toEqual({ email: '', phone: '' });
  });

  test.each([
    ['a list of uuids', ['i1'], [{ uuid: 'i1', activityUuid: undefined }]],
    ['a list of objects', [{ uuid: 'i1', activity: { uuid: 'a1' } }], [{ uuid: 'i1', activityUuid: 'a1' }]],
    ['a map by uuid', { i1: { activity_uuid: 'a1' } }, [{ uuid: 'i1', activityUuid: 'a1' }]],
    ['only an activity', [{ activity_uuid: 'a1' }], [{ uuid: undefined, activityUuid: 'a1' }]],
    [
      'an activity with an invalid uuid and one with a valid uuid',
      [{ activity: { uuid: '/' }, activity_uuid: 2 }],
      [{ activityUuid: '2' }],
    ],
    ['entries that cannot be read', [null, 5.5, {}, { uuid: {} }, [], 'a b', { activity: 'a1' }], []],
    ['null', null, []],
    ['text', 'text', []],
  ])('images can be %s', (_form, images, refs) => {
    expect(subject({ images }).images).toEqual(refs);
    expect(subject({ group_images: images }).images).toEqual(refs);
  });

  test('single images are included', () => {
    expect(subject({ image: { uuid: 'i1' }, favorite_image_uuid: 'i2' }).images.map(({ uuid }) => uuid)).toEqual([
      'i1',
      'i2',
    ]);
  });

  test.each([
    [null, 'the row'],
    [['Ada'], 'the row'],
    [{ first_name: 'Ada' }, 'uuid is missing'],
    [{ uuid: '../Ada' }, 'uuid is not an id'],
    [{ uuid: 's1', email: { ada: 'ada@x.example' } }, 'email is not text'],
    [{ uuid: 's1', delivery_2: 'ada@x.example' }, 'delivery_2 is not an object'],
    [{ uuid: 's1', delivery_1: { mobile_phone: ['Ada'] } }, 'delivery_1.mobile_phone is not text'],
  ])('the reason for %j is %j, without a value', (row, reason) => {
    const { error } = subjectSchema.safeParse(row);
    const reported = error === undefined ? '' : reasonOf(error);
    expect(reported).toContain(reason);
    expect(reported.toLowerCase()).not.toContain('ada');
  });

  test('the uuid of a row that cannot be read is found, if there is one', () => {
    expect(uuidOf({ uuid: 's1', email: {} })).toBe('s1');
    expect(uuidOf({ uuid: 'Ada Byron' })).toBeUndefined();
    expect(uuidOf(null)).toBeUndefined();
  });

  test.each([
    [{ name: ' Ada B. ', first_name: 'Ada' }, 'Ada B.'],
    [{ first_name: 'Ada', last_name: 'Byron' }, 'Ada Byron'],
    [{ external_id: 7 }, '7'],
    [{}, 'subject-1'],
  ])('the display name of %j is %j', (row, name) => {
    expect(displayNameOf(subject(row))).toBe(name);
  });
});

test.each([
  ['images as a list', { images: [{ uuid: 'i1', activity: { uuid: 'a1' } }, { uuid: 'i2' }] }],
  ['images as a map', { images: { i1: { activity_uuid: 'a1' }, i2: {} } }],
])('job details: %s', (_form, response) => {
  const { name, activityUuidByImage } = jobDetailsSchema.parse({ name: 'Job', ...response });
  expect({ name, images: [...activityUuidByImage] }).toEqual({ name: 'Job', images: [['i1', 'a1']] });
});

test.each([
  ['a list', [{ uuid: 's1', images: ['i1'] }, 's2', null]],
  ['a map', { s1: { images: { i1: {} } }, s2: [] }],
])('job details: subjects as %s', (_form, subjects) => {
  expect([...jobDetailsSchema.parse({ subjects }).imagesBySubject.keys()]).toEqual(['s1']);
});

test('job details: more than 500,000 images fail', () => {
  const images = Array(500_001).fill('i1');
  for (const details of [{ images }, { subjects: [{ uuid: 's1', images }] }]) {
    expect(() => jobDetailsSchema.safeParse(details)).toThrow('more than 500000 entries');
  }
});

test('an activity requires a uuid and a job', () => {
  expect(activitySchema.parse({ uuid: 'a1', job: { uuid: 'j1' }, starting: null })).toEqual({
    uuid: 'a1',
    name: '',
    starting: '',
    jobUuid: 'j1',
  });
  expect(activitySchema.safeParse({ uuid: 'a1' }).success).toBe(false);
});

test.each([
  ['K1', 'K1'],
  [{ access_key: ' K1 ' }, 'K1'],
  [{ key: 12 }, '12'],
  ['  ', undefined],
  ['K\ud800', undefined],
  ['K'.repeat(1_001), undefined],
  [{}, undefined],
  [null, undefined],
])('the access key in %j is %j', (item, key) => {
  expect(accessKeySchema.safeParse(item).data).toBe(key);
});

test.each([
  ['K1'],
  [{ access_key: 'K1' }],
  [{ data: { key: 'K1' } }],
  [['K1']],
  [{ data: ['K1'] }],
  [{ access_keys: [{ key: 'K1' }] }],
])('the created key in %j is found', (response) => {
  expect(createdKeySchema.parse(response)).toBe('K1');
});

test.each([
  [
    { subjectUuid: 's1', userUuid: 'u1', userUsername: ' a@x.example ' },
    { userUuid: 'u1', email: 'a@x.example' },
  ],
  [
    { subjectUuid: 's1', uuid: 'u1', email: 'a@x.example' },
    { userUuid: 'u1', email: 'a@x.example' },
  ],
  [
    { subjectUuid: 's1', userUuid: 'u1', uuid: 'other' },
    { userUuid: 'u1', email: '' },
  ],
])('the registered user in %j is found', (row, user) => {
  expect(jobUserSchema.parse(row)).toEqual({ subjectUuid: 's1', user });
  expect(subjectUserSchema.parse(row)).toEqual(user);
});

test.each([[{ userUuid: 'u1' }], [{ subjectUuid: 's1', email: 'a@x.example' }]])(
  '%j is not a registered user',
  (row) => {
    expect(jobUserSchema.safeParse(row).success).toBe(false);
  },
);
