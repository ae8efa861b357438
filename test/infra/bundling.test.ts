import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { buildSync } from 'esbuild';
import { readBundles, synthesized } from '../../bench/bundle';
import { selfSigned } from '../../bench/self-signed';
import { omitted, parseAwsClients, substitutionsFor } from '../../lib/bundling/substitutions';

const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the bundles of the app', () => {
  const bundles = [...readBundles(synthesized())].map(([name, { file }]) => ({ name, file }));

  test.each(bundles)('$name is one minified CommonJS file without development leftovers', ({ file }) => {
    expect(readdirSync(dirname(file))).toEqual(['index.js']);
    const code = readFileSync(file, 'utf8');
    expect(/\bmodule\.exports=/.test(code)).toBe(true);
    // Source maps, licence texts, local paths, development tools, and credential providers that Lambda never needs.
    const unwanted = ['sourceMappingURL', '@license', process.cwd(), 'aws-cdk', 'fauxqs', 'MockAgent', 'aws-sdk-js'];
    expect(unwanted.filter((text) => code.includes(text))).toEqual([]);
    // Only Node's own modules are required, and some that are loaded only for debugging MySQL's driver, without SIMD, and
    // for form data.
    const unused = ['cardinal', '../llhttp/llhttp-wasm.js', '../web/fetch/body.js'];
    const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name);
    expect(required.filter((name) => !isBuiltin(name) && !unused.includes(name))).toEqual([]);
  });

  test('only the bundles of the sync jobs keep the young generation small', () => {
    const code = bundles.map(({ file }) => readFileSync(file, 'utf8'));
    expect(code.filter((text) => text.includes('--semi-space-growth-factor=1'))).toHaveLength(7);
  });
});

describe('the young generation of the sync Lambdas', () => {
  /** Arguments with which Lambda starts node in a function of 1024 MB. */
  const lambdaArguments = ['--expose-gc', '--max-semi-space-size=51', '--max-old-space-size=922'];

  const largestOf = async (name: string, inject: string[], env: Readonly<Record<string, string>> = {}) => {
    const outfile = join(folder, `${name}.js`);
    const entryPoints = ['test/infra/fixtures/survivors.ts'];
    buildSync({ entryPoints, outfile, inject, bundle: true, platform: 'node', format: 'cjs', minify: true });
    const { stdout } = await promisify(execFile)(process.execPath, [...lambdaArguments, outfile], { env });
    return Number(stdout);
  };

  test('stays small under the arguments with which Lambda starts node', async () => {
    // 4.5 to 14 MiB if it is not collected while the old generation is marked.
    expect(await largestOf('small', ['./lib/bundling/young-generation.ts'])).toBeLessThan(4);
  });

  test('would grow with NODE_OPTIONS alone, which these arguments override', async () => {
    expect(await largestOf('large', [], { NODE_OPTIONS: '--max-semi-space-size=1' })).toBeGreaterThan(32);
  });
});

describe('the substitutions with the SDK', () => {
  const program = join(folder, 'calls.js');
  const credentials = {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    AWS_SESSION_TOKEN: 'a-session-token',
  };
  const received: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[] = [];
  let server: Server;
  let endpoint: string;
  let printed: Record<string, unknown>;

  const run = (env: Readonly<Record<string, string>>) =>
    promisify(execFile)(process.execPath, [program, endpoint], { env, timeout: 120_000 });

  const base64Of = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('base64');

  /** Response of AWS or the HTTP API: status, headers and body. */
  const responseTo = (target: string, body: string): [number, Record<string, string>, string] => {
    const responses: Record<string, [number, Record<string, string>, string]> = {
      'DynamoDB_20120810.GetItem': [200, {}, '{"Item":{"status":{"S":"NOTIFIED"}}}'],
      'DynamoDB_20120810.UpdateItem': [
        400,
        {},
        '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"refused"}',
      ],
      'AmazonSQS.SendMessage': [
        200,
        {},
        JSON.stringify({ MessageId: 'message-1', MD5OfMessageBody: createHash('md5').update('{}').digest('hex') }),
      ],
      '/echo': [200, {}, body],
      '/raw/whole': [200, { 'x-amz-checksum-sha256': base64Of('sha256', 'kept') }, 'kept'],
      '/raw/damaged': [200, { 'x-amz-checksum-sha256': base64Of('sha256', 'kept') }, 'lost'],
    };
    return responses[target] ?? [200, {}, '{}'];
  };

  /** A webhook with a signature of Standard Webhooks 1.0.0. */
  const signedWebhook = () => {
    const key = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const [id, timestamp, body] = ['msg_1', String(Math.floor(Date.now() / 1000)), '{"order_id":"QO-1"}'];
    const signature = createHmac('sha256', Buffer.from(key, 'base64'))
      .update(`${id}.${timestamp}.${body}`)
      .digest('base64');
    return {
      secret: `whsec_${key}`,
      headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` },
      body,
    };
  };

  beforeAll(async () => {
    buildSync({
      entryPoints: ['test/infra/fixtures/calls.ts'],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      mainFields: ['module', 'main'],
      alias: { ...substitutionsFor('sdk') },
      external: [...omitted],
    });
    server = createServer(async (request, response) => {
      const { method = '', url = '', headers } = request;
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      received.push({ method, url, headers, body });
      if (url === '/hang') return;
      const [status, responseHeaders, responseBody] = responseTo(
        String(headers['x-amz-target'] ?? url.split('?')[0]),
        body,
      );
      response.writeHead(status, responseHeaders).end(responseBody);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    printed = JSON.parse((await run({ ...credentials, SIGNED: JSON.stringify(signedWebhook()) })).stdout);
  });
  afterAll(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  /** Signature Version 4 of a received request. */
  const expectedSignature = ({ method, url, headers, body }: (typeof received)[number]): string => {
    const [, date, region, service, names = ''] =
      /Credential=AKIDEXAMPLE\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+)/.exec(
        headers.authorization ?? '',
      ) ?? [];
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const hmac = (key: string | Buffer, text = '') => createHmac('sha256', key).update(text).digest();
    const { pathname, searchParams } = new URL(url, endpoint);
    searchParams.sort();
    const canonical = [
      method,
      pathname,
      searchParams.toString(),
      ...names.split(';').map((name) => `${name}:${headers[name]}`),
      '',
      names,
      headers['x-amz-content-sha256'] ?? sha256(body),
    ].join('\n');
    const scope = `${date}/${region}/${service}/aws4_request`;
    const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
    const key = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${credentials.AWS_SECRET_ACCESS_KEY}`, date));
    return hmac(key, text).toString('hex');
  };

  test('sign AWS requests with the credentials in the environment', () => {
    const calls = received.filter(({ headers }) => headers.authorization);
    expect(calls.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST', 'PUT', 'GET', 'GET', 'POST']);
    for (const call of calls) {
      expect(call.headers['x-amz-security-token']).toBe(credentials.AWS_SESSION_TOKEN);
      expect(call.headers.authorization).toContain(`Signature=${expectedSignature(call)}`);
    }
  });

  test('read responses of DynamoDB, and a failed condition as its error class', () => {
    expect(printed.dynamoDb).toEqual({ status: 'NOTIFIED', refused: true });
  });

  test('read responses of SQS, and verify the checksum of a sent message', () => {
    expect(printed.sqs).toBe('message-1');
  });

  test('send a checksum to S3, and verify the one of a received object', () => {
    const sent = received.find(({ method }) => method === 'PUT');
    const expected = Buffer.alloc(4);
    expected.writeUInt32BE(crc32('{}'));
    expect(sent?.headers['x-amz-checksum-crc32']).toBe(expected.toString('base64'));
    expect(printed.s3).toMatchObject({ whole: 'kept', damaged: expect.stringContaining('Checksum mismatch') });
  });

  test('fail with a clear message when an event stream is requested', () => {
    expect(printed.s3).toMatchObject({
      stream: expect.stringContaining('This bundle does not contain the event streams of AWS.'),
    });
  });

  test('accept a signed webhook, and reject a forged one', () => {
    expect(printed.webhook).toEqual({
      signed: true,
      forged: 'No matching signature found',
      keyless: 'The text is not base64.',
    });
  });

  test('keep the pool and the errors of undici working', () => {
    expect(printed.pool).toEqual({ statusCode: 200, echo: 'over the pool', timeout: true });
  });

  test('name a missing credential', async () => {
    await expect(run({ AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' })).rejects.toMatchObject({
      stderr: expect.stringContaining('No AWS credentials: AWS_SECRET_ACCESS_KEY is not set in the environment.'),
    });
  });

  test('reject imports that undici has and its substitution lacks', () => {
    const stdin = { contents: "import { fetch } from 'undici'; fetch('/')", resolveDir: process.cwd() };
    const build = () =>
      buildSync({
        stdin,
        bundle: true,
        write: false,
        platform: 'node',
        logLevel: 'silent',
        alias: { ...substitutionsFor('sdk') },
      });
    expect(build).toThrow(/No matching export in "lib\/bundling\/undici.ts" for import "fetch"/);
  });
});

describe('the lean AWS clients', () => {
  const alias = { ...substitutionsFor('lean') };
  const mainFields = ['module', 'main'];
  const options = { bundle: true, platform: 'node', format: 'cjs', mainFields, alias } as const;

  const bundle = (contents: string): string => {
    const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' } as const;
    const { outputFiles } = buildSync({ ...options, stdin, write: false, logLevel: 'silent' });
    return outputFiles.map(({ text }) => text).join('');
  };

  test('call AWS over TLS, at the endpoints that the environment sets', async () => {
    const outfile = join(folder, 'lean-calls.js');
    buildSync({ ...options, entryPoints: ['test/infra/fixtures/lean-calls.ts'], outfile });
    const { key, cert } = selfSigned('localhost');
    writeFileSync(join(folder, 'ca.pem'), cert);
    const targets: string[] = [];
    const server = createTlsServer({ key, cert }, (request, response) => {
      targets.push(String(request.headers['x-amz-target']));
      request.resume().on('end', () => response.end('{"Item":{"order_id":{"S":"QO-1"}},"SecretString":"s"}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const env = {
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'a-secret',
      AWS_ENDPOINT_URL: 'https://localhost:9',
      AWS_ENDPOINT_URL_DYNAMODB: url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    };
    const { stdout } = await promisify(execFile)(process.execPath, [outfile], { env, timeout: 120_000 });
    expect(JSON.parse(stdout)).toEqual({ Item: { order_id: 'QO-1' }, SecretString: 's' });
    expect(targets).toEqual(['DynamoDB_20120810.GetItem', 'secretsmanager.GetSecretValue']);
    server.closeAllConnections();
    server.close();
  });

  test('contain nothing of the SDK but its marshaller', () => {
    const { metafile } = buildSync({
      ...options,
      entryPoints: ['lambdas/webhook/index.ts'],
      metafile: true,
      write: false,
    });
    const packages = Object.values(metafile.outputs)
      .flatMap(({ inputs }) => Object.entries(inputs))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .flatMap(([file]) => /node_modules\/(@(?:aws-sdk|smithy)\/[^/]+)/.exec(file)?.[1] ?? []);
    expect([...new Set(packages)]).toEqual(['@aws-sdk/util-dynamodb']);
  });

  test.each([
    ['@aws-sdk/client-s3', 'CopyObjectCommand', 'client-s3'],
    ['@aws-sdk/lib-dynamodb', 'PutCommand', 'lib-dynamodb'],
    ['@aws-sdk/client-sqs', 'ReceiveMessageCommand', 'client-sqs'],
  ])('refuse an import that they lack at build time: %s %s', (name, imported, file) => {
    expect(() => bundle(`import { ${imported} } from '${name}'; console.log(${imported})`)).toThrow(
      `No matching export in "lib/bundling/aws/${file}.ts" for import "${imported}"`,
    );
  });

  test('are the default, and the context value "awsClients" selects the SDK', () => {
    expect([undefined, 'lean', 'sdk'].map(parseAwsClients)).toEqual(['lean', 'lean', 'sdk']);
    expect(() => parseAwsClients('both')).toThrow('The context value "awsClients" must be one of lean, sdk.');
    expect(substitutionsFor('sdk')).not.toHaveProperty(['@aws-sdk/client-s3']);
  });
});
