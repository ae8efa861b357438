/** Writes what is needed at run time, by the lockfile, as CycloneDX: to the file given, else to `sbom.json`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { name, version } from '../package.json';
import { packages } from '../package-lock.json';

const root = path.join(__dirname, '..');

const bomSchema = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ name: z.string() }) }),
  components: z.array(z.looseObject({ 'bom-ref': z.string() })),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

/** Name and version of all that is needed at run time. npm's own `--omit dev` omits what tools use as well, such as zod. */
const runTime = new Set(
  Object.entries(packages)
    .filter(([, entry]) => !('dev' in entry))
    .map(([location, entry]) => `${location.split('node_modules/').at(-1) || name}@${entry.version ?? version}`),
);

const options = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const printed = execFileSync('npm', ['sbom', ...options], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
  shell: process.platform === 'win32',
});
const bom = bomSchema.parse(JSON.parse(printed));

// npm calls the application by the name of its folder.
bom.metadata.component.name = name;
bom.components = bom.components.filter((component) => runTime.has(component['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => runTime.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((needed) => runTime.has(needed)) }));
writeFileSync(process.argv[2] ?? path.join(root, 'sbom.json'), `${JSON.stringify(bom, undefined, 2)}\n`);
