import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { context } from '../../cdk.json';

const outdir = mkdtempSync(join(tmpdir(), 'validation-'));
afterAll(() => rmSync(outdir, { recursive: true }));

/** An app with one resource and the settings of `cdk.json`. */
const appWith = (type: string, properties: Record<string, unknown>): App => {
  const app = new App({ context, outdir });
  new CfnResource(new Stack(app, 'stack'), 'resource', { type, properties });
  return app;
};

test('a template that AWS would reject is not synthesized', () => {
  const app = appWith('AWS::SQS::Queue', { QueueNam: 'misspelt' });
  expect(() => app.synth()).toThrow(/ERROR QueueNam: Additional properties are not allowed/);
});

test('a template with a warning is not synthesized', () => {
  const app = appWith('AWS::Lambda::Function', {
    Runtime: 'nodejs16.x',
    Handler: 'index.handler',
    Role: 'arn:aws:iam::123456789012:role/any',
    Code: { ZipFile: 'exports.handler = () => {}' },
  });
  expect(() => app.synth()).toThrow(/WARNING Runtime: Runtime 'nodejs16.x' was deprecated/);
});
