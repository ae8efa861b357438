import { Ajv, type ErrorObject } from 'ajv';
import swagger from '../../docs/contracts/iterable-swagger.json';

/** The simulated calls of Iterable's Swagger file, by the path below `/api/`. */
export const requestDefinitions = {
  'users/update': 'ApiUserUpdateRequest',
  'users/bulkUpdate': 'BulkUpdateUsersRequest',
  'events/track': 'TrackRequest',
  'events/trackBulk': 'BulkTrackRequest',
} as const;

/** The calls that change something. */
export type WriteName = keyof typeof requestDefinitions;
/** Reads a user. It is not in the Swagger file. */
export const readName = 'users/getByEmail';
export type CallName = WriteName | typeof readName;

export const callNames = [...Object.keys(requestDefinitions), readName];

export const isCallName = (name: string): name is CallName => callNames.includes(name);

/** A field that is not in the Swagger file is most likely a mistake. */
const closed = ['OptionalApiUser', ...Object.values(requestDefinitions)];
const definitions = Object.fromEntries(
  Object.entries(swagger.definitions).map(([name, schema]) => [
    name,
    closed.includes(name) ? { ...schema, additionalProperties: false } : schema,
  ]),
);

const ajv = new Ajv({ strict: false, formats: { int32: true, int64: true } });
ajv.addSchema({ $id: 'iterable', definitions });

const compile = (definition: string) => ajv.compile({ $ref: `iterable#/definitions/${definition}` });

const validators = {
  'users/update': compile(requestDefinitions['users/update']),
  'users/bulkUpdate': compile(requestDefinitions['users/bulkUpdate']),
  'events/track': compile(requestDefinitions['events/track']),
  'events/trackBulk': compile(requestDefinitions['events/trackBulk']),
};

const describe = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath || 'body'} ${message}${'additionalProperty' in params ? `: ${params.additionalProperty}` : ''}`;

/** Validates a request's body against the Swagger file. Returns the faults; undefined if there are none. */
export const swaggerFault = (call: WriteName, body: unknown): string | undefined => {
  const validate = validators[call];
  return validate(body) ? undefined : (validate.errors ?? []).map(describe).join('; ');
};
