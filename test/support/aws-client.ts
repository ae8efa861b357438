/** A fake AWS client whose `send` returns the result of `respond`. Records the input of each command. */
export const fakeAwsClient = <Client>(
  respond: (input: Readonly<Record<string, unknown>>, command: string) => unknown,
) => {
  const inputs: Record<string, unknown>[] = [];
  const send = async (command: { readonly input: Record<string, unknown> }): Promise<unknown> => {
    inputs.push(command.input);
    return respond(command.input, command.constructor.name);
  };
  return { client: { send } as unknown as Client, inputs };
};
