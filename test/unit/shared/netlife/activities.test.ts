import { groupByJob, readStarting, resolveActivities } from '../../../../shared/netlife/activities';
import { activity, details, subject } from '../../../support/netlife';

const first = activity({ uuid: 'a-first', starting: '2026-01-01T00:00:00Z' });
const second = activity({ uuid: 'a-2', starting: '2026-02-01T00:00:00Z' });
const dateless = activity({ uuid: 'a-1', starting: null });
const job = { uuid: 'job-1', activities: [first, second, dateless] };
const ofJob = details({ images: { i2: { activity_uuid: 'a-2' }, 'i-gone': { activity_uuid: 'not-on-sale' } } });
const nothing = details();

test.each([
  [
    'an image that contains its activity',
    { images: [{ uuid: 'x', activity: { uuid: 'a-2' } }] },
    nothing,
    ['a-2'],
    'images',
  ],
  ['an image whose activity is in the job details', { images: ['i2'] }, ofJob, ['a-2'], 'images'],
  ['the favorite image', { favorite_image_uuid: 'i2' }, ofJob, ['a-2'], 'images'],
  ['a group image', { group_images: { i2: {} } }, ofJob, ['a-2'], 'images'],
  [
    'images that are only in the job details',
    {},
    details({ subjects: { 'subject-1': { images: [{ activity_uuid: 'a-2' }] } } }),
    ['a-2'],
    'images',
  ],
  [
    'several images: each activity once, ordered by start of sale',
    { images: [{ activity_uuid: 'a-1' }, { activity_uuid: 'a-first' }, { activity_uuid: 'a-1' }] },
    nothing,
    ['a-first', 'a-1'],
    'images',
  ],
  [
    'images, which take precedence over its own activity',
    { images: ['i2'], activity_uuid: 'a-1' },
    ofJob,
    ['a-2'],
    'images',
  ],
  ['its own activity', { activity_uuid: 'a-1' }, nothing, ['a-1'], 'subject'],
  [
    'its own activity, if that of its image is not on sale',
    { images: ['i-gone'], activity_uuid: 'a-1' },
    ofJob,
    ['a-1'],
    'subject',
  ],
  ['the first activity of the job', {}, nothing, ['a-first'], 'job'],
  ['the first activity of the job, if its own is not on sale', { activity_uuid: 'other' }, nothing, ['a-first'], 'job'],
])('a subject has the activity of: %s', (_rule, row, jobDetails, uuids, strategy) => {
  const resolved = resolveActivities(subject(row), jobDetails, job);
  expect([resolved.activities.map(({ uuid }) => uuid), resolved.strategy]).toEqual([uuids, strategy]);
});

test('jobs are ordered by uuid, their activities by start', () => {
  const other = activity({ uuid: 'b', job: { uuid: 'job-0' } });
  const jobs = groupByJob([dateless, second, other, first]);
  expect(jobs).toEqual([{ uuid: 'job-0', activities: [other] }, job]);
  expect(groupByJob([dateless, other], ['job-0', 'unknown']).map(({ uuid }) => uuid)).toEqual(['job-0']);
});

test.each([
  ['2026-03-01T08:00:00Z', '2026-03-01T08:00:00Z'],
  ['2026-03-01T08:00:00.123Z', '2026-03-01T08:00:00.123Z'],
  ['2026-03-01T08:00:00+02:00', '2026-03-01T06:00:00.000Z'],
  ['2026-03-01T08:00:00-0500', '2026-03-01T13:00:00.000Z'],
  ['2026-03-01 08:00:00', '2026-03-01T08:00:00.000Z'],
  ['2026-03-01', '2026-03-01T00:00:00.000Z'],
  ['20260301', '2026-03-01T00:00:00.000Z'],
  ['2026-03-01T08:00:00,5+00', '2026-03-01T08:00:00.500Z'],
  ['1772352000', '2026-03-01T08:00:00.000Z'],
  ['', undefined],
  ['soon', undefined],
  ['0', undefined],
  ['2026-13-45T00:00:00Z', undefined],
  ['2026-02-30T08:00:00Z', undefined],
])('a start of sale %j is read as %j', (starting, utc) => {
  expect(readStarting(starting)?.utc).toBe(utc);
});

test('activities are ordered by time, whatever its format', () => {
  const starts = ['soon', '2026-03-01T08:00:00+02:00', '2026-03-01T07:00:00Z', '20260301', '1772344800'];
  const activities = starts.map((starting, index) => activity({ uuid: `a${index}`, starting }));
  expect(groupByJob(activities)[0]?.activities.map(({ starting }) => starting)).toEqual([
    '20260301',
    '2026-03-01T08:00:00+02:00',
    '1772344800',
    '2026-03-01T07:00:00Z',
    'soon',
  ]);
});
