import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Writes a copy of an assembly like that of another commit: every bundle is different, and therefore every hash.
 *
 * @param directory folder of the copy
 */
export const writeNextRelease = (assembly: string, directory: string, commits: { from: string; to: string }): void => {
  cpSync(assembly, directory, { recursive: true });
  const rehash = (text: string) =>
    text
      .replaceAll(commits.from, commits.to)
      .replaceAll(/\b[0-9a-f]{64}\b/g, (hash) => createHash('sha256').update(`${hash}${commits.to}`).digest('hex'));
  for (const entry of readdirSync(directory)) {
    const file = path.join(directory, entry);
    if (entry.startsWith('asset.')) {
      appendFileSync(path.join(file, 'index.js'), `// ${commits.to}\n`);
      renameSync(file, path.join(directory, rehash(entry)));
    } else if (entry.endsWith('.json')) {
      writeFileSync(file, rehash(readFileSync(file, 'utf8')));
    }
  }
};
