import { App } from 'aws-cdk-lib';
import { context } from '../../cdk.json';
import { version } from '../../package.json';
import { addEmulatedPipeline } from './emulated-pipeline';

addEmulatedPipeline(new App({ context }), { version, commitSha: process.env.COMMIT_SHA ?? 'unknown' }, process.env);
