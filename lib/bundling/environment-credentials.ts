/**
 * The credentials of a Lambda. Lambda passes them in the environment, so the SDK's chain of profile, SSO, process and
 * metadata providers (130 kB) is not needed. Replaces `@aws-sdk/credential-provider-node` in bundles with the SDK.
 */

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const required = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`No AWS credentials: ${name} is not set in the environment.`);
  return value;
};

/** @throws Error that names the variable if `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY` is missing */
export const environmentCredentials = (): Credentials => {
  const sessionToken = process.env.AWS_SESSION_TOKEN;
  return {
    accessKeyId: required('AWS_ACCESS_KEY_ID'),
    secretAccessKey: required('AWS_SECRET_ACCESS_KEY'),
    ...(sessionToken && { sessionToken }),
  };
};

/**
 * The SDK's default credential provider.
 *
 * @returns a provider that reads the environment at each call
 */
export const defaultProvider = () => async (): Promise<Credentials> => environmentCredentials();
