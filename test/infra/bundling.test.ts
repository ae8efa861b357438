import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App } from 'aws-cdk-lib';
import { buildSync } from 'esbuild';
import { context } from '../../cdk.json';
import { loadConfig } from '../../lib/config';
import { substitutions } from '../../lib/constructs/node-function';
import { addPipeline } from '../../lib/pipeline';

const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the bundles of the app', () => {
  const app = new App({ context, outdir: join(folder, 'cdk.out') });
  addPipeline(app, loadConfig('dev', { version: '1.0.0', commitSha: 'unknown' }));
  const { directory } = app.synth();
  const bundles = readdirSync(directory).filter((name) => name.startsWith('asset.'));

  test.each(bundles)('%s is one CommonJS file, minified, with nothing of the workshop in it', (bundle) => {
    expect(readdirSync(join(directory, bundle))).toEqual(['index.js']);
    const code = readFileSync(join(directory, bundle, 'index.js'), 'utf8');
    expect(/\bmodule\.exports=/.test(code)).toBe(true);
    // Source maps, licence texts, paths of this machine, tools of the workshop, and providers that Lambda never needs.
    const unwanted = ['sourceMappingURL', '@license', process.cwd(), 'aws-cdk', 'fauxqs', 'MockAgent', 'sso_session'];
    expect(unwanted.filter((text) => code.includes(text))).toEqual([]);
    // Node's own modules alone are left to require, and one that the SDK asks for only where S3 access points span regions.
    const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name);
    expect(required.filter((name) => !isBuiltin(name) && name !== '@aws-sdk/signature-v4-crt')).toEqual([]);
  });
});

describe('the substitutions', () => {
  const program = join(folder, 'calls.js');
  const credentials = {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    AWS_SESSION_TOKEN: 'a-session-token',
  };
  const received: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[] = [];
  let server: Server;
  let endpoint: string;
  let printed: string;

  const run = (env: Partial<typeof credentials>) =>
    promisify(execFile)(process.execPath, [program, endpoint], { env, timeout: 20_000 });

  beforeAll(async () => {
    buildSync({
      entryPoints: ['test/infra/fixtures/calls.ts'],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      mainFields: ['module', 'main'],
      alias: { ...substitutions },
    });
    server = createServer(async (request, response) => {
      const { method = '', url = '', headers } = request;
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      received.push({ method, url, headers, body });
      if (url !== '/hang') response.end(url === '/echo' ? body : '{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    printed = (await run(credentials)).stdout;
  });
  afterAll(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  /** Signature Version 4 by the book, over what the server received. */
  function expectedSignature({ method, url, headers, body }: (typeof received)[number]): string {
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
  }

  test('sign AWS requests by the credentials of the environment', () => {
    const calls = received.filter(({ headers }) => headers.authorization);
    expect(calls.map(({ method }) => method)).toEqual(['POST', 'PUT']);
    for (const call of calls) {
      expect(call.headers['x-amz-security-token']).toBe(credentials.AWS_SESSION_TOKEN);
      expect(call.headers.authorization).toContain(`Signature=${expectedSignature(call)}`);
    }
  });

  test('keep the pool and the errors of undici working', () => {
    expect(JSON.parse(printed)).toEqual({ statusCode: 200, echo: 'over the pool', timeout: true });
  });

  test('name the credential that is missing', async () => {
    await expect(run({ AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' })).rejects.toMatchObject({
      stderr: expect.stringContaining('No AWS credentials: AWS_SECRET_ACCESS_KEY is not set in the environment.'),
    });
  });

  test('refuse what undici has and the lean form has not', () => {
    const stdin = { contents: "import { fetch } from 'undici'; fetch('/')", resolveDir: process.cwd() };
    const build = () =>
      buildSync({
        stdin,
        bundle: true,
        write: false,
        platform: 'node',
        logLevel: 'silent',
        alias: { ...substitutions },
      });
    expect(build).toThrow(/No matching export in "lib\/bundling\/undici.ts" for import "fetch"/);
  });
});
