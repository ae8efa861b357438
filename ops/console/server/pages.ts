import path from 'node:path';
import { build } from 'esbuild';

/** The bundled pages, in memory. */
export interface PageFiles {
  readonly html: string;
  readonly assets: ReadonlyMap<string, { readonly content: Uint8Array<ArrayBuffer>; readonly type: string }>;
}

const folder = path.join(__dirname, '../pages');
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Pipeline console</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/console.css">
<script type="module" src="/assets/main.js"></script>
</head>
<body><div id="root"></div></body>
</html>
`;

/** Bundles the pages. Parts that a screen loads when it is opened are in files of their own. */
export const bundlePages = async (): Promise<PageFiles> => {
  const { outputFiles } = await build({
    entryPoints: {
      main: path.join(folder, 'main.tsx'),
      console: path.join(folder, 'styles/console.css'),
      icon: path.join(folder, 'icon.svg'),
    },
    outdir: 'assets',
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    platform: 'browser',
    minify: true,
    legalComments: 'none',
    jsx: 'automatic',
    loader: { '.svg': 'copy' },
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const assets = outputFiles.map(({ path: file, contents }) => {
    const type = types[path.extname(file)] ?? 'application/octet-stream';
    return [path.basename(file), { content: Uint8Array.from(contents), type }] as const;
  });
  return { html, assets: new Map(assets) };
};
