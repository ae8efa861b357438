import * as z from 'zod';
import { parseJson } from '../json';
import { type ArtifactWriter, isLostUpload, type RunFolder, unfinishedSchema } from './artifacts';

type Writers<File extends string> = Readonly<Record<File, ArtifactWriter>>;

export interface Joining<File extends string, Source, Counts> {
  readonly folder: RunFolder;
  /**
   * Object with the cursor, from which the next turn resumes, or which shows a later one that the files are complete.
   */
  readonly cursorPath: string;
  /** Paths of the files, which are written side by side. */
  readonly files: Readonly<Record<File, string>>;
  /** In order, and the same in every turn. */
  readonly sources: readonly Source[];
  /** Schema of the counts, which the cursor keeps as JSON. */
  readonly schema: z.ZodType<Counts>;
  /** Writes the start of the files. @returns the counts before the first source */
  readonly begin: (writers: Writers<File>) => Promise<Counts>;
  /** Writes the content of a source. @returns the counts including it */
  readonly add: (counts: Counts, source: Source, writers: Writers<File>) => Promise<Counts>;
  /** Writes the end of the files. */
  readonly end?: (writers: Writers<File>) => Promise<void>;
  /** Called before each source. */
  readonly isTimeUp: () => boolean;
}

export interface Joined<Counts> {
  /** Whether the files are complete. If not, the time was up, and another turn resumes. */
  readonly done: boolean;
  readonly counts: Counts;
}

/**
 * Joins many sources into a few files, in as many turns as needed. Memory holds one source and one upload part of each
 * file. The cursor is written at the end of a turn. A turn that is killed is repeated from its start, and produces the
 * same files because the sources are the same.
 */
export const joinParts = async <File extends string, Source, Counts>(
  joining: Joining<File, Source, Counts>,
): Promise<Joined<Counts>> => {
  const { folder, cursorPath, sources, begin, add, end, isTimeUp } = joining;
  const names = Object.keys(joining.files) as File[];
  const cursorSchema = z.object({
    counts: joining.schema,
    /** Index of the source to resume with; absent once the files are complete. */
    next: z.number().optional(),
    files: z.record(z.string(), unfinishedSchema).default(() => ({})),
  });
  type Cursor = z.output<typeof cursorSchema>;
  const keep = (cursor: Omit<Cursor, 'files'> & Partial<Cursor>) => folder.put(cursorPath, JSON.stringify(cursor));
  const forEachFile = <T>(make: (name: File) => T) =>
    Object.fromEntries(names.map((name) => [name, make(name)])) as Record<File, T>;

  const join = async (from: Cursor | undefined): Promise<Joined<Counts>> => {
    const writers = forEachFile((name) => folder.openWriter(joining.files[name], from?.files[name]));
    try {
      let counts = from === undefined ? await begin(writers) : from.counts;
      const first = from?.next ?? 0;
      for (const [offset, source] of sources.slice(first).entries()) {
        if (isTimeUp()) {
          await keep({ counts, next: first + offset, files: forEachFile((name) => writers[name].pause()) });
          return { done: false, counts };
        }
        counts = await add(counts, source, writers);
      }
      await end?.(writers);
      for (const name of names) await writers[name].close();
      await keep({ counts });
      return { done: true, counts };
    } catch (error) {
      // An open upload costs money. An upload that the cursor names is kept for the next turn.
      await Promise.allSettled(names.map((name) => writers[name].abort()));
      throw error;
    }
  };

  const cursor = cursorSchema.safeParse(parseJson((await folder.readText(cursorPath)) ?? '')).data;
  if (cursor !== undefined && cursor.next === undefined) return { done: true, counts: cursor.counts };
  try {
    return await join(cursor);
  } catch (error) {
    // The upload was aborted or completed: by a worker that died right after, or by a call that was repeated because
    // its response was lost. Starting again produces the same files.
    if (!isLostUpload(error)) throw error;
    return join(undefined);
  }
};
