import { createHash } from 'node:crypto';
import { createRandom, type Random } from '../../samples/random';

/** The size of a portal. */
export interface NetlifePortalSize {
  readonly name: string;
  readonly jobs: number;
  readonly activitiesPerJob: number;
  readonly subjectsPerJob: number;
}

/** The contents of a photo job, by number. They are computed, so a large job needs no more memory than a small one. */
export interface NetlifeJobSample {
  readonly uuid: string;
  readonly name: string;
  /** The number of subjects, and the numbers of those listed as buyers and as non-buyers. A few are listed as both. */
  readonly subjects: number;
  readonly buyers: { readonly from: number; readonly to: number };
  readonly nonBuyers: { readonly from: number; readonly to: number };
  readonly subject: (index: number) => unknown;
  /** The number in a subject's UUID; undefined if the subject is not in this job. */
  readonly indexOf: (subjectUuid: string) => number | undefined;
  readonly images: (
    index: number,
  ) => { readonly uuid: string; readonly activity_uuid?: string; readonly activity?: { readonly uuid: string } }[];
  /** The items of the list of access keys, in one of their forms. */
  readonly accessKeys: (index: number) => unknown[];
  /** The registered user of a subject in the bulk list; undefined for most subjects. */
  readonly user: (
    index: number,
  ) => { readonly subjectUuid: string; readonly userUuid: string; readonly userUsername: string } | undefined;
}

export interface NetlifePortalSample {
  readonly activities: unknown[];
  readonly job: (uuid: string) => NetlifeJobSample | undefined;
}

const firstNames = [
  'Ada',
  'Grace',
  'Zoë',
  'Jean-Luc',
  'Mary "May"',
  'José',
  '李',
  'Nia',
  'Anne\nMarie',
  'Liam',
] as const;
const lastNames = [
  'Byron',
  "O'Neil",
  'Smith, Jr.',
  '=HYPERLINK("http://a.example","b")',
  '+Sum',
  '-1+1',
  '@Home',
] as const;
const groups: readonly [unknown, ...unknown[]] = ['Seniors', 'Grade 11', 'Football, Varsity', '', null, 12];
const countries = ['US', 'GB', '', null] as const;
const phones = [
  (digits: string) => `555${digits}`,
  (digits: string) => `1-555-${digits.slice(0, 3)}-${digits.slice(3)}`,
  (digits: string) => `(555) ${digits.slice(0, 3)}.${digits.slice(3)} `,
  (digits: string) => `+1 555 ${digits}`,
  (digits: string) => `+44 7700 ${digits.slice(0, 6)}`,
  (digits: string) => digits,
  () => '',
  () => null,
] as const;
const digitCount = 7;

/** The hash of a place in the sample, from which its contents are computed. */
const seedOf = (place: string): number => createHash('sha256').update(place).digest().readUInt32LE();

/** A UUID that ends with a number. */
const uuidFor = (place: string, index: number): string => {
  const hex = createHash('sha256').update(`${place}/${index}`).digest('hex');
  const end = index.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-a${hex.slice(15, 18)}-${end}`;
};

const indexIn = (uuid: string, place: string, count: number): number | undefined => {
  const index = Number.parseInt(uuid.slice(24), 16);
  return index < count && uuidFor(place, index) === uuid ? index : undefined;
};

/**
 * A portal generated from a seed: the same seed gives the same portal. It has the irregularities of real ones: missing
 * parts, numbers for text, names that spreadsheets take for formulas, phone numbers in every form, a few rows that cannot be read, a few
 * subjects without an access key, subjects that are listed as buyers and as non-buyers.
 */
export const createNetlifePortal = (seed: number, size: NetlifePortalSize): NetlifePortalSample => {
  const place = `${seed}/${size.name}`;
  const jobUuid = (job: number) => uuidFor(`${place}/job`, job);
  const activityUuid = (job: number, activity: number) => uuidFor(`${place}/job/${job}/activity`, activity);
  const activityOf = (job: number, activity: number) => ({
    uuid: activityUuid(job, activity),
    name: `Gallery ${job + 1}.${activity + 1}`,
    starting: activity % 4 === 3 ? null : `2026-0${1 + (activity % 9)}-15T08:00:00Z`,
    job: { uuid: jobUuid(job) },
    status_id: 'in-webshop',
  });
  return {
    activities: Array.from({ length: size.jobs }, (_, job) =>
      Array.from({ length: size.activitiesPerJob }, (_, activity) => activityOf(job, activity)),
    ).flat(),
    job: (uuid) => {
      const job = indexIn(uuid, `${place}/job`, size.jobs);
      if (job === undefined) return undefined;
      const activities = Array.from({ length: size.activitiesPerJob }, (_, activity) => activityUuid(job, activity));
      return createJob(`${place}/job/${job}`, uuid, `Job ${job + 1}`, size.subjectsPerJob, activities);
    },
  };
};

const createJob = (
  place: string,
  uuid: string,
  name: string,
  subjects: number,
  activityUuids: string[],
): NetlifeJobSample => {
  const subjectUuid = (index: number) => uuidFor(`${place}/subject`, index);
  const chanceOf = (index: number, what: string) => createRandom(seedOf(`${place}/${what}/${index}`));
  const buyers = Math.floor(subjects / 2);

  const images: NetlifeJobSample['images'] = (index) => {
    const random = chanceOf(index, 'images');
    return Array.from({ length: random.integer(0, 3) }, (_, image) => {
      const activity = activityUuids[random.integer(0, activityUuids.length - 1)] ?? '';
      const own = { uuid: uuidFor(`${place}/subject/${index}/image`, image) };
      return random.chance(0.5) ? { ...own, activity: { uuid: activity } } : { ...own, activity_uuid: activity };
    });
  };

  /** Some lists repeat an image's activity. Others name only the image, whose activity is in the job's details. */
  const imagesAsListed = (index: number, random: Random) => {
    const listed = images(index).map((image) => (random.chance(0.5) ? image : { uuid: image.uuid }));
    return random.chance(0.3) ? Object.fromEntries(listed.map(({ uuid: id, ...image }) => [id, image])) : listed;
  };

  const phone = (random: Random) =>
    random.pick(phones)(Array.from({ length: digitCount }, () => random.integer(0, 9)).join(''));
  const email = (random: Random, index: number) =>
    random.chance(0.75) ? ` subject${index}@family${random.integer(1, 9)}.example` : null;
  const delivery = (random: Random, index: number) =>
    random.chance(0.1) ? [] : { email_address: email(random, index), mobile_phone: phone(random), method: 'mail' };

  return {
    uuid,
    name,
    subjects,
    buyers: { from: 0, to: buyers },
    nonBuyers: { from: buyers - Math.floor(buyers / 50), to: subjects },
    indexOf: (id) => indexIn(id, `${place}/subject`, subjects),
    images,
    subject: (index) => {
      const random = chanceOf(index, 'subject');
      const [firstName, lastName] = [random.pick(firstNames), random.pick(lastNames)];
      const row = {
        uuid: subjectUuid(index),
        external_id: random.chance(0.5) ? `S-${index}` : index,
        first_name: firstName,
        last_name: lastName,
        parent_name: random.chance(0.5) ? `Parent ${lastName}` : null,
        name: `${firstName} ${lastName}`,
        group: random.pick(groups),
        country: random.pick(countries),
        ...(random.chance(0.8) ? { delivery_1: delivery(random, index) } : {}),
        ...(random.chance(0.4) ? { delivery_2: delivery(random, index) } : {}),
        phone_number: phone(random),
        email: email(random, index),
        phone_number_2: phone(random),
        email_2: email(random, index),
        images: imagesAsListed(index, random),
        group_images: [],
        favorite_image_uuid: images(index)[0]?.uuid ?? null,
        activity_uuid: random.chance(0.6) ? (activityUuids.at(-1) ?? null) : null,
        not_documented: { nested: true },
      };
      if (!chanceOf(index, 'readable').chance(0.01)) return row;
      return random.chance(0.5) ? { ...row, uuid: null } : { ...row, first_name: { value: firstName } };
    },
    accessKeys: (index) => {
      const random = chanceOf(index, 'key');
      const key = `${random.chance(0.05) ? 'A B/' : 'K'}${random.integer(100_000, 999_999).toString(36).toUpperCase()}`;
      const form = random.integer(0, 19);
      return form === 0 ? [] : form < 8 ? [key] : form < 14 ? [{ access_key: key }, 'SECOND'] : [{ key }];
    },
    user: (index) => {
      if (!chanceOf(index, 'user').chance(0.4)) return undefined;
      const userUuid = uuidFor(`${place}/user`, index);
      return { subjectUuid: subjectUuid(index), userUuid, userUsername: `user${index}@shop.example` };
    },
  };
};
