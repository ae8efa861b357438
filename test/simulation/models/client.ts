import type { ModelClient } from '../world';

/** What a service does for each command, by the name of the command's class. Each takes the input of its command. */
export type Actions = Readonly<Record<string, (input: never) => unknown>>;

/** A client that runs a command's action at once. A command without an action is rejected. */
export const clientOf = (actions: Actions): ModelClient => ({
  send: async (command) => {
    const action = actions[command.constructor.name];
    if (action === undefined) throw new Error(`There is no model of ${command.constructor.name}`);
    return action(command.input as never);
  },
});

/**
 * A client that passes for one of the SDK. The SDK's paginators accept only an instance of the class.
 *
 * @param sdkClass such as `S3Client`
 */
export const asSdkClient = <Client extends object>(
  sdkClass: { readonly prototype: Client },
  { send }: ModelClient,
): Client => Object.assign(Object.create(sdkClass.prototype) as Client, { send });

/** The metadata of an error with an HTTP status. */
export const metadata = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });
