/**
 * What Iterable documents as a reason (docs/contracts/iterable-swagger.json): the codes of an answer, and the lists of a
 * bulk answer. Iterable's other words are kept for the report, and out of the log: they may name a person.
 */
export const documentedReasons: readonly string[] = [
  'BadApiKey',
  'BadAuthorizationHeader',
  'BadJsonBody',
  'BadParams',
  'BatchTooLarge',
  'DatabaseError',
  'EmailAlreadyExists',
  'ExternalKeyConflict',
  'Forbidden',
  'ForbiddenParamsError',
  'ForgottenUserError',
  'GenericError',
  'InvalidEmailAddressError',
  'InvalidJwtPayload',
  'InvalidUserIdError',
  'JwtUserIdentifiersMismatched',
  'NotFound',
  'QueueEmailError',
  'RateLimitExceeded',
  'RequestFieldsTypesMismatched',
  'Unauthorized',
  'UniqueFieldsLimitExceeded',
  'UnknownEmailError',
  'UnknownUserIdError',
  'UserIdAlreadyExists',
  'conflictEmails',
  'conflictUserIds',
  'disallowedEventNames',
  'forgottenEmails',
  'forgottenUserIds',
  'invalidDataEmails',
  'invalidDataUserIds',
  'invalidEmails',
  'invalidUserIds',
  'notFoundEmails',
  'notFoundUserIds',
];

/** Ours: Iterable counts a user as failed and does not say why. */
export const unexplained = 'failCount';

/** A reason fit for a log. */
export const reasonOf = (code: string): string =>
  documentedReasons.includes(code) || code === unexplained ? code : 'other';
