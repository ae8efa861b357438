/**
 * The reasons that Iterable documents (docs/contracts/iterable-swagger.json): the codes of a response, and the lists of
 * a bulk response. Other words of Iterable are in the report but not in the log, because they may name a person.
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

/** Our own reason: Iterable counts a user as failed without saying why. */
export const unexplained = 'failCount';

/** A reason that is safe to log. */
export const reasonOf = (code: string): string =>
  documentedReasons.includes(code) || code === unexplained ? code : 'other';
