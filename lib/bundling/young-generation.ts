/**
 * Injected at the start of a bundle: keeps V8's young generation at its initial size of a few MiB.
 *
 * Lambda starts node with a `--max-semi-space-size` of a twentieth of the function's memory. That argument overrides
 * `NODE_OPTIONS`, and V8 reads it only at its start. These flags are read later.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
// By default, the young generation is not collected while the old one is marked. It then grows, whatever its factor:
// by up to 18 MiB in a sync of Iterable.
setFlagsFromString('--no-separate-gc-phases');
