import { PipelineError } from '../../shared/errors';
import { iterablePlanSchema } from '../../shared/iterable/input';
import { readRowsFile, rowsFilePath } from '../../shared/iterable/rows-file';
import type { UserSource } from '../../shared/iterable/source';
import { createUserParts } from '../../shared/iterable/user-parts';
import type { RunFolder } from '../../shared/runs/artifacts';
import { createPreflight } from '../../shared/runs/preflight';
import type { IterableExtractDependencies } from './handler';

const checkColumns = async (source: UserSource): Promise<void> => {
  const missing = await source.missingColumns();
  if (missing.length === 0) return;
  throw new PipelineError(
    'COLUMN_MISSING',
    `The database lacks columns of the query, or our user is not allowed to read them: ${missing.join(', ')}`,
    { retryable: false },
  );
};

/** Reads the header. */
const checkRowsFile = async (folder: RunFolder): Promise<void> => {
  for await (const _ of readRowsFile(folder.readBytes(rowsFilePath))) return;
};

/** `CheckDatabase`: checks the columns of the query, or of the file of rows, unless all users are extracted. */
export const createSourceCheck = (
  dependencies: Pick<IterableExtractDependencies, 'openSource' | 'openFolder' | 'runs' | 'logger' | 'metrics' | 'now'>,
) =>
  createPreflight({
    ...dependencies,
    name: 'database',
    plan: iterablePlanSchema,
    checksOf: ({ iterable: { source } }, { folder }) => [
      {
        name: 'iterable/database',
        run: async () => {
          if ((await createUserParts(folder).readExtracted()) !== undefined) return;
          await (source === 'rows' ? checkRowsFile(folder) : checkColumns(await dependencies.openSource()));
        },
      },
    ],
  });
