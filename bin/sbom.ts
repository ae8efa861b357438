/** Writes the run-time dependencies in the lockfile as CycloneDX, to the file in the first argument or to `sbom.json`. */
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

/** Name and version of every run-time dependency. npm's `--omit dev` would also omit those that a tool needs as well, e.g. zod. */
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

// npm names the application after its folder.
bom.metadata.component.name = name;
bom.components = bom.components.filter((component) => runTime.has(component['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => runTime.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((dependency) => runTime.has(dependency)) }));
writeFileSync(process.argv[2] ?? path.join(root, 'sbom.json'), `${JSON.stringify(bom, undefined, 2)}\n`);
