/**
 * Injected at the start of a bundle: keeps V8's young generation at its initial size of a few MiB.
 *
 * Lambda starts node with a `--max-semi-space-size` of a twentieth of the function's memory. That argument overrides
 * `NODE_OPTIONS`, and V8 reads it only at its start. V8 reads the growth factor whenever the young generation grows.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
