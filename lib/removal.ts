import { RemovalPolicy } from 'aws-cdk-lib';
import type { Config } from './config';

/** Removal policy of a resource with a generated name. */
export const removalOf = ({ retainData }: Config): RemovalPolicy =>
  retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

/**
 * Removal policy of a resource with a fixed name. A first deployment that is rolled back deletes it; if it stayed, the next
 * deployment would fail with "already exists".
 */
export const removalOfNamed = ({ retainData }: Config): RemovalPolicy =>
  retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
