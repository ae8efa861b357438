/** AWS JSON 1.0 and 1.1: every operation is a POST of its input. */
import { createException, type Exceptions, metadataOf, retryAfterMsOf } from './errors';
import type { HttpResponse } from './exchange';
import { commandOf } from './operation';

interface JsonService {
  readonly version: '1.0' | '1.1';
  /** The prefix of `x-amz-target`. */
  readonly target: string;
  readonly exceptions: Exceptions;
  /** SQS: asks for the error codes of its older protocol, as the SDK does. */
  readonly hasQueryErrors?: boolean;
  /** DynamoDB: matches bytes in a response, which this client does not decode. */
  readonly bytes?: RegExp;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Its message does not quote the text, which may contain personal data. */
const parse = ({ status, body }: HttpResponse, bytes?: RegExp): Readonly<Record<string, unknown>> => {
  if (body.length === 0) return {};
  const text = body.toString();
  if (bytes?.test(text)) throw new Error("This bundle's AWS client does not read bytes in JSON.");
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Handled like any other wrong body.
  }
  throw new Error(`AWS answered ${status} with a body that is not a JSON object.`);
};

/** How `JSON.stringify` writes bytes: as an object with a number for each index. In an input, nothing else looks so. */
const bytesAsJson = /\{"0":\d/;

/** The test of the text is several times faster than one of every value. */
const stringify = (input: unknown): string => {
  const text = JSON.stringify(input);
  if (bytesAsJson.test(text)) throw new Error("This bundle's AWS client does not send bytes in JSON.");
  return text;
};

/** `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException:http://…` → `ConditionalCheckFailedException` */
const nameOf = (code: unknown): string =>
  String(code)
    .replace(/[,:].*$/s, '')
    .replace(/^.*#/s, '');

const readBody = (response: HttpResponse): Readonly<Record<string, unknown>> => {
  try {
    return parse(response);
  } catch {
    // A proxy or a load balancer answered. Its status decides about a retry.
    return {};
  }
};

const readError = (response: HttpResponse, { exceptions, hasQueryErrors = false }: JsonService): Error | undefined => {
  if (response.status < 300) return undefined;
  const { __type, code, message, Message, ...fields } = readBody(response);
  const [Code, Type] = String((hasQueryErrors && response.headers['x-amzn-query-error']) || '').split(';');
  const name = nameOf(response.headers['x-amzn-errortype'] ?? __type ?? code ?? Code ?? 'Unknown');
  return createException(exceptions, {
    name: name || 'Unknown',
    message: String(message ?? Message ?? 'UnknownError'),
    $metadata: metadataOf(response),
    retryAfterMs: retryAfterMsOf(response),
    fields: { ...fields, ...(Code && { Code, Type, Error: { Code, Type, Message: message ?? Message } }) },
  });
};

export interface JsonCommandOptions<Input, Output> {
  /** The queue whose URL is the address. */
  readonly queueUrlOf?: (input: Input) => string | undefined;
  /** Checks or converts the output. */
  readonly finish?: (output: Output, input: Input) => Output;
}

/** @returns a function that makes the class of an operation's command */
export const jsonCommands =
  (service: JsonService) =>
  <Input, Output>(name: string, { queueUrlOf, finish }: JsonCommandOptions<Input, Output> = {}) =>
    commandOf<Input, Output>({
      serialize: (input) => {
        const body = stringify(input);
        return {
          method: 'POST',
          path: '/',
          query: [],
          headers: {
            'content-type': `application/x-amz-json-${service.version}`,
            'x-amz-target': `${service.target}.${name}`,
            ...(service.hasQueryErrors && { 'x-amzn-query-mode': 'true' }),
            'content-length': String(Buffer.byteLength(body)),
          },
          body,
          queueUrl: queueUrlOf?.(input),
        };
      },
      deserialize: (response, input) => {
        const output = parse(response, service.bytes) as Output;
        return finish ? finish(output, input) : output;
      },
      readError: (response) => readError(response, service),
    });
