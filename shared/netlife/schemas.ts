import * as z from 'zod';
import { badAnswer } from './bad-answer';

/** Text as the portals write it: a number is text too, and `null` or a missing value is the empty string. */
const text = z
  .union([z.string(), z.number(), z.null()], { error: 'is not text' })
  .optional()
  .transform((value) => (value == null ? '' : String(value)));

const idPattern = /^[A-Za-z0-9][\w-]{0,99}$/;

/** An id that may be part of a path. */
const uuid = z
  .union([z.string(), z.number()], { error: 'is missing' })
  .transform(String)
  .pipe(z.string().regex(idPattern, 'is not an id'));

/** Reads an id; `undefined` if it is none. By hand: it costs a tenth of the schema, and a job has many images. */
const idIn = (value: unknown): string | undefined => {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && idPattern.test(text) ? text : undefined;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A lone surrogate cannot be encoded in a URL, and an access key becomes part of one. */
const isWhole = (value: string): boolean => value.isWellFormed();
const filledText = text.pipe(
  z.string().trim().min(1, 'is empty').max(1_000, 'is too long').refine(isWhole, 'is not whole Unicode'),
);

/** PHP writes an object without fields as `[]`. */
const emptyListAsNothing = (value: unknown): unknown =>
  value === null || (Array.isArray(value) && value.length === 0) ? undefined : value;

const optionalObject = <S extends z.ZodRawShape>(shape: S) =>
  z.preprocess(emptyListAsNothing, z.object(shape, { error: 'is not an object' }).optional());

/**
 * More meaningful entries than this do not fit into a response of 64 MiB: a longer list is not one of the portals'
 * lists.
 */
const maxEntries = 500_000;

/**
 * The entries of a list, or of a map by uuid, whose keys become the entries' `uuid`; `undefined` if it is neither.
 *
 * @throws {PipelineError} `BAD_ANSWER`, permanent, if there are over 500,000
 */
export const entriesOf = (value: unknown): readonly unknown[] | undefined => {
  if (value == null) return [];
  if (typeof value !== 'object') return undefined;
  const entries = Array.isArray(value) ? value : Object.entries(value);
  if (entries.length > maxEntries) throw badAnswer(`A list has more than ${maxEntries} entries`);
  if (Array.isArray(value)) return value;
  return entries.map(([key, entry]: [string, unknown]) => (isObject(entry) ? { uuid: key, ...entry } : entry));
};

/** What identifies the activity of an image: its uuid, the activity that it names, or both. */
export interface ImageRef {
  readonly uuid: string | undefined;
  readonly activityUuid: string | undefined;
}

const readImage = (image: unknown): ImageRef | undefined => {
  const id = idIn(image);
  if (id !== undefined) return { uuid: id, activityUuid: undefined };
  if (!isObject(image)) return undefined;
  const activity = isObject(image.activity) ? image.activity : {};
  const ref = { uuid: idIn(image.uuid), activityUuid: idIn(activity.uuid) ?? idIn(image.activity_uuid) };
  return ref.uuid === undefined && ref.activityUuid === undefined ? undefined : ref;
};

/** Images only identify the activity, which has two other sources: an image that cannot be read is dropped. */
const readImages = (value: unknown): ImageRef[] =>
  (entriesOf(value) ?? []).map(readImage).filter((ref) => ref !== undefined);

const images = z.unknown().optional().transform(readImages);
const oneImage = z
  .unknown()
  .optional()
  .transform((image) => readImages([image]));

/** An activity: what is on sale in the webshop, and since when. */
export const activitySchema = z
  .object({ uuid, name: text, starting: text, job: z.object({ uuid }, { error: 'is missing' }) })
  .transform(({ job, ...activity }) => ({ ...activity, jobUuid: job.uuid }));
export type Activity = z.output<typeof activitySchema>;

const delivery = optionalObject({ email_address: text, mobile_phone: text }).transform((value) => ({
  email: value?.email_address ?? '',
  phone: value?.mobile_phone ?? '',
}));

/** A person in a job. */
export const subjectSchema = z
  .object({
    uuid,
    external_id: text,
    first_name: text,
    last_name: text,
    parent_name: text,
    name: text,
    group: text,
    country: text,
    delivery_1: delivery,
    delivery_2: delivery,
    phone_number: text,
    email: text,
    phone_number_2: text,
    email_2: text,
    images,
    group_images: images,
    image: oneImage,
    favorite_image_uuid: oneImage,
    activity_uuid: uuid.nullish().catch(undefined),
  })
  .transform((row) => ({
    uuid: row.uuid,
    externalId: row.external_id,
    firstName: row.first_name,
    lastName: row.last_name,
    parentName: row.parent_name,
    name: row.name,
    group: row.group,
    country: row.country,
    delivery1: row.delivery_1,
    delivery2: row.delivery_2,
    phoneNumber: row.phone_number,
    email: row.email,
    phoneNumber2: row.phone_number_2,
    email2: row.email_2,
    images: [...row.images, ...row.group_images, ...row.image, ...row.favorite_image_uuid],
    activityUuid: row.activity_uuid ?? undefined,
  }));
export type Subject = z.output<typeof subjectSchema>;

/** Name of a subject's access key. */
export const displayNameOf = ({ name, firstName, lastName, externalId, uuid: id }: Subject): string =>
  [name, `${firstName} ${lastName}`, externalId].map((part) => part.trim()).find(Boolean) ?? id;

const readImagesBySubject = (value: unknown): Map<string, ImageRef[]> => {
  const imagesBySubject = new Map<string, ImageRef[]>();
  for (const subject of entriesOf(value) ?? []) {
    if (!isObject(subject)) continue;
    const [id, refs] = [idIn(subject.uuid), readImages(subject.images)];
    if (id !== undefined && refs.length > 0) imagesBySubject.set(id, refs);
  }
  return imagesBySubject;
};

/** A job's details: its name, and the activities of its images and of its subjects' images. */
export const jobDetailsSchema = z
  .object({ name: text, images, subjects: z.unknown().optional() }, { error: 'is not an object' })
  .transform(({ name, images: refs, subjects }) => ({
    name,
    activityUuidByImage: new Map(
      refs.flatMap((ref) =>
        ref.uuid === undefined || ref.activityUuid === undefined ? [] : [[ref.uuid, ref.activityUuid] as const],
      ),
    ),
    imagesBySubject: readImagesBySubject(subjects),
  }));
export type JobDetails = z.output<typeof jobDetailsSchema>;

/** An access key: text, or an object that contains it. */
export const accessKeySchema = z.union(
  [
    filledText,
    z.object({ access_key: filledText }).transform((item) => item.access_key),
    z.object({ key: filledText }).transform((item) => item.key),
  ],
  { error: 'holds no access key' },
);

/** The response to the creation of an access key: the key, which may be wrapped like the list of keys. */
export const createdKeySchema = z.union([
  accessKeySchema,
  z.object({ data: accessKeySchema }).transform(({ data }) => data),
  z.tuple([accessKeySchema]).transform(([item]) => item),
  z.object({ data: z.tuple([accessKeySchema]) }).transform(({ data: [item] }) => item),
  z.object({ access_keys: z.tuple([accessKeySchema]) }).transform(({ access_keys: [item] }) => item),
]);

/** A person who registered in the webshop. */
export interface RegisteredUser {
  readonly userUuid: string;
  readonly email: string;
}

const registeredUser = z
  .object({
    uuid: uuid.nullish().catch(undefined),
    userUuid: uuid.nullish().catch(undefined),
    userUsername: text,
    email: text,
  })
  .transform((row, context): RegisteredUser => {
    const userUuid = row.userUuid ?? row.uuid ?? undefined;
    if (userUuid !== undefined) return { userUuid, email: (row.userUsername || row.email).trim() };
    context.addIssue({ code: 'custom', path: ['userUuid'], message: 'is not an id' });
    return z.NEVER;
  });

export const subjectUserSchema = registeredUser;

export const jobUserSchema = z
  .intersection(z.object({ subjectUuid: uuid }), registeredUser)
  .transform(({ subjectUuid, userUuid, email }) => ({ subjectUuid, user: { userUuid, email } }));

export const userDetailsSchema = z
  .object({ phone_number: text }, { error: 'is not an object' })
  .transform((row) => ({ phoneNumber: row.phone_number.trim() }));
export type UserDetails = z.output<typeof userDetailsSchema>;

/** Why a row cannot be read: the fields and their faults, never a value. */
export const reasonOf = ({ issues }: z.ZodError): string =>
  issues
    .map(({ path, message }) => (path.length === 0 ? `the row ${message}` : `${path.map(String).join('.')} ${message}`))
    .join('; ');

/** The uuid of a row that cannot be read, so that a person can find it. */
export const uuidOf = (row: unknown): string | undefined => (isObject(row) ? idIn(row.uuid) : undefined);
