import * as z from 'zod';

/** The AWS clients in the bundles: ours (docs/adr/0015), or the AWS SDK. */
const awsClientsSchema = z.enum(['lean', 'sdk']);
export type AwsClients = z.output<typeof awsClientsSchema>;

/** Reads the context value `awsClients` of `cdk.json`. */
export const parseAwsClients = (value: unknown): AwsClients => {
  const parsed = awsClientsSchema.default('lean').safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(`The context value "awsClients" must be one of ${awsClientsSchema.options.join(', ')}.`);
};

/** Paths from the project's root. An alias also applies to subpaths of the package. */
type Substitutions = Readonly<Record<string, string>>;

const always: Substitutions = {
  '@stablelib/base64': './lib/bundling/base64.ts',
  'fast-sha256': './lib/bundling/fast-sha256.ts',
  undici: './lib/bundling/undici.ts',
  // Exempts the subpaths that our own undici module imports.
  'undici/lib': 'undici/lib',
};

const byClients: Readonly<Record<AwsClients, Substitutions>> = {
  lean: {
    '@aws-sdk/client-dynamodb': './lib/bundling/aws/client-dynamodb.ts',
    '@aws-sdk/client-s3': './lib/bundling/aws/client-s3.ts',
    '@aws-sdk/client-secrets-manager': './lib/bundling/aws/client-secrets-manager.ts',
    '@aws-sdk/client-sfn': './lib/bundling/aws/client-sfn.ts',
    '@aws-sdk/client-sns': './lib/bundling/aws/client-sns.ts',
    '@aws-sdk/client-sqs': './lib/bundling/aws/client-sqs.ts',
    '@aws-sdk/lib-dynamodb': './lib/bundling/aws/lib-dynamodb.ts',
    // The SDK imports it as well.
    'node:http2': './lib/bundling/http2.ts',
  },
  sdk: {
    '@aws-sdk/credential-provider-node': './lib/bundling/environment-credentials.ts',
    '@aws-sdk/middleware-endpoint-discovery': './lib/bundling/endpoint-discovery.ts',
    '@smithy/core/checksum': './lib/bundling/checksum.ts',
    '@smithy/core/event-streams': './lib/bundling/event-streams.ts',
  },
};

/** Packages that esbuild replaces in bundles by smaller modules of ours. */
export const substitutionsFor = (clients: AwsClients): Substitutions => ({ ...always, ...byClients[clients] });

/**
 * Files of undici that bundles omit. undici loads them at run time where WebAssembly has no SIMD, which Node 24 requires, and
 * for a body of form data, which we never send.
 */
export const omitted: readonly string[] = ['*/llhttp/llhttp-wasm.js', '*/web/fetch/body.js'];
