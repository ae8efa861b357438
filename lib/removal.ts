import { RemovalPolicy } from 'aws-cdk-lib';
import type { Config } from './config';

/** What becomes of a resource with a generated name when its stack is deleted, or its creation rolled back. */
export const removalOf = ({ retainData }: Config): RemovalPolicy =>
  retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

/**
 * The same for a resource with a fixed name. A first deployment that rolls back deletes it: kept, it would make the next
 * try fail with "already exists".
 */
export const removalOfNamed = ({ retainData }: Config): RemovalPolicy =>
  retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
