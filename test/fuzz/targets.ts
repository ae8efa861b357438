import type { FuzzTarget } from './engine';
import { cli } from './targets/cli';
import { iterable } from './targets/iterable';
import { netlife } from './targets/netlife';
import { qualia } from './targets/qualia';
import { runInput } from './targets/run-input';
import { webhook } from './targets/webhook';

/** All targets. To add one, create a file in `targets/` and list it here. */
export const targets: readonly FuzzTarget[] = [webhook, qualia, netlife, iterable, runInput, cli];
