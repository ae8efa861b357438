/**
 * Injected before everything else in a bundle: V8's young generation keeps its first size of some MiB.
 *
 * Lambda starts node with a `--max-semi-space-size` of a twentieth of the function's memory. The same option in
 * `NODE_OPTIONS` loses against it, and V8 reads it only while it starts. V8 reads the growth factor at each growth.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
