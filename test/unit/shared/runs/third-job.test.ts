import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../../../..');

/** A third job: its folder, and its entry in the list. */
const thirdJob = {
  'shared/third/third.ts': `
    import * as z from 'zod';
    import { exactly, flag } from '../input-rules';
    import { outcomeSchema } from '../runs/outcome';
    export const third = {
      input: () => exactly({ careful: flag(true) }),
      findConflicts: () => [],
      counters: () => ['third'],
      leases: () => ['third'],
      outcome: outcomeSchema.extend({ sent: z.number() }),
    };`,
  'shared/runs/jobs.ts': (text: string) =>
    `import { third } from '../third/third';\n${text.replace('} as const satisfies', '  third,\n} as const satisfies')}`,
};
const summary = {
  'lambdas/finish-run/summary.ts': (text: string) =>
    text.replace(
      /const summarize: .*\n/,
      (line) => `${line}  third: ({ sent, ...rest }) => ({ ...rest, message: String(sent) }),\n`,
    ),
};
const description = {
  'bin/docs/run-input-schema.ts': (text: string) =>
    text.replace(
      /const jobs: .*\n/,
      (line) => `${line}  third: { description: 'A third job.', keys: { careful: { description: 'Slowly.' } } },\n`,
    ),
};
const use = {
  'shared/third/use.ts': `
    import { createPortals } from '../netlife/portals';
    import { readRunInput } from '../runs/input';
    export const isCareful: boolean | undefined =
      readRunInput({}, 'a', { portals: createPortals() }).third?.careful;`,
};

/** The previous program, whose files are reused. */
let program: ts.Program | undefined;

type Files = Readonly<Record<string, string | ((text: string) => string)>>;

/** The compiler's errors in the modules that depend on the list of jobs, with these files added or changed. */
const compile = (files: Files): string[] => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, types: ['node'], incremental: false, tsBuildInfoFile: undefined },
    root,
  );
  const changed = new Map(
    Object.entries(files).map(([path, change]) => {
      const file = join(root, path);
      return [file, typeof change === 'string' ? change : change(readFileSync(file, 'utf8'))];
    }),
  );
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (file) => changed.get(file) ?? readFile(file);
  host.fileExists = (file) => changed.has(file) || fileExists(file);
  host.directoryExists = (folder) =>
    [...changed.keys()].some((file) => dirname(file) === folder) || ts.sys.directoryExists(folder);
  host.getSourceFile = (file, languageVersion, ...rest) => {
    const text = changed.get(file);
    return text === undefined
      ? getSourceFile(file, languageVersion, ...rest)
      : ts.createSourceFile(file, text, languageVersion);
  };
  const checked = [
    ...Object.keys(files),
    'bin/docs/run-input-schema.ts',
    'lambdas/finish-run/summary.ts',
    'lambdas/plan-run/handler.ts',
    'ops/commands/run-input.ts',
    'ops/commands/run-progress.ts',
    'ops/services/run-report.ts',
    'shared/runs/input.ts',
  ].map((path) => join(root, path));
  program = ts.createProgram([...new Set(checked)], options, host, program);
  const { getSemanticDiagnostics, getSourceFile: sourceOf } = program;
  return [...new Set(checked)].flatMap((file) =>
    getSemanticDiagnostics(sourceOf(file)).map(
      ({ messageText }) => `${file.slice(root.length + 1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    ),
  );
};

test('for a third job with a folder and an entry in the list, the compiler names what is missing', () => {
  expect(compile({ ...thirdJob, ...use })).toEqual([
    expect.stringMatching(/^bin\/docs\/run-input-schema\.ts: Property 'third' is missing in type/),
    expect.stringMatching(/^lambdas\/finish-run\/summary\.ts: Property 'third' is missing in type/),
  ]);
});

test('with that added, a third job is complete', () => {
  expect(compile({ ...thirdJob, ...summary, ...description, ...use })).toEqual([]);
});
