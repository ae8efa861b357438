import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';

/** Bundles a source text like a Lambda, but without our substitutions, and passes the file to `work`. */
export const withPlainBundle = async <T>(source: string, work: (file: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-bundle-'));
  try {
    const outfile = path.join(folder, 'index.js');
    await build({
      stdin: { contents: source, resolveDir: __dirname, loader: 'ts' },
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'cjs',
      minify: true,
      mainFields: ['module', 'main'],
      legalComments: 'none',
    });
    return await work(outfile);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
