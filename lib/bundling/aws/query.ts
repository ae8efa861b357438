/** AWS Query: every operation is a POST of a form, and is answered with XML. */
import { createException, type Exceptions, metadataOf, retryAfterMsOf } from './errors';
import type { HttpResponse } from './exchange';
import { commandOf } from './operation';
import { encodeUri } from './sign';
import { childOf, parseDocument, textOf } from './xml';

interface QueryService {
  readonly version: string;
  readonly exceptions: Exceptions;
  /** The codes of the modelled errors, whose names end with `Exception`. */
  readonly errorCodes: readonly string[];
}

/** Members are text: that is all that the commands of the Lambdas send. */
const formOf = (name: string, version: string, input: object): string => {
  const members = Object.entries({ Action: name, Version: version, ...input }).filter(
    ([, value]) => value !== undefined,
  );
  return members
    .map(([member, value]) => {
      if (typeof value === 'string') return `${member}=${encodeUri(value)}`;
      throw new Error(`This bundle's AWS client sends "${member}" only as text.`);
    })
    .join('&');
};

const readBody = (response: HttpResponse): unknown => {
  try {
    return childOf(parseDocument(response.body).value, 'Error');
  } catch {
    // A proxy or a load balancer answered. Its status decides about a retry.
    return undefined;
  }
};

/** @returns a function that makes the class of an operation's command */
export const queryCommands =
  ({ version, exceptions, errorCodes }: QueryService) =>
  <Input extends object, Output>(name: string, members: readonly (string & keyof Output)[]) =>
    commandOf<Input, Output>({
      serialize: (input) => {
        const body = formOf(name, version, input);
        return {
          method: 'POST',
          path: '/',
          query: [],
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': String(Buffer.byteLength(body)),
          },
          body,
        };
      },
      deserialize: ({ body }) => {
        const result = childOf(parseDocument(body).value, `${name}Result`);
        return Object.fromEntries(members.map((member) => [member, textOf(result, member)])) as Output;
      },
      readError: (response) => {
        if (response.status < 300) return undefined;
        const error = readBody(response);
        const Code = textOf(error, 'Code');
        return createException(exceptions, {
          name: Code !== undefined && errorCodes.includes(Code) ? `${Code}Exception` : (Code ?? 'Unknown'),
          message: textOf(error, 'Message') ?? 'UnknownError',
          $metadata: metadataOf(response),
          retryAfterMs: retryAfterMsOf(response),
          fields: { ...(Code && { Code }) },
        });
      },
    });
