import type { ResponseMetadata } from './errors';
import type { HttpResponse } from './exchange';

/** A request before it is addressed and signed. */
export interface OperationRequest {
  readonly method: string;
  /** Percent-encoded, below the bucket if there is one. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly bucket?: string;
  /** The URL of the queue, whose host receives the request. */
  readonly queueUrl?: string | undefined;
}

/** How a command becomes a request, and a response its output. */
export interface Operation<Input, Output> {
  serialize(input: Input): OperationRequest;
  /** @throws Error if the response is damaged */
  deserialize(response: HttpResponse, input: Input): Output;
  /** The error that a response other than 2xx describes, or a 2xx that contains one. */
  readError(response: HttpResponse): Error | undefined;
  /** Whether the caller reads the body of a successful response. */
  readonly isStreamed?: boolean;
}

export interface Command<Input, Output> {
  readonly input: Input;
  readonly operation: Operation<Input, Output>;
}

/** The class of a command. */
export const commandOf = <Input, Output>(operation: Operation<Input, Output>) =>
  class implements Command<Input, Output> {
    readonly input: Input;
    readonly operation = operation;

    constructor(input: Input) {
      this.input = input;
    }
  };

/** The output of a command, as its client returns it. */
export type WithMetadata<Output> = Output & { readonly $metadata: ResponseMetadata };
