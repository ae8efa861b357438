/** Writes the generated documents of `docs/`. `test/unit/docs/generated.test.ts` fails while one of them is out of date. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generateDocuments } from './docs/documents';

for (const [name, text] of Object.entries(generateDocuments())) {
  const file = path.join(__dirname, '..', name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
