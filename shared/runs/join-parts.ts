import * as z from 'zod';
import { parseJson } from '../json';
import { type ArtifactWriter, isLostUpload, type RunFolder, unfinishedSchema } from './artifacts';

type Writers<File extends string> = Readonly<Record<File, ArtifactWriter>>;

export interface Joining<File extends string, Source, Counts> {
  readonly folder: RunFolder;
  /** An object that tells the next turn where to go on, and whoever comes later that nothing is left to do. */
  readonly cursorPath: string;
  /** The paths of the files to write, side by side. */
  readonly files: Readonly<Record<File, string>>;
  /** In their order; the same ones in every turn. */
  readonly sources: readonly Source[];
  /** Of what is counted, as JSON keeps it. */
  readonly schema: z.ZodType<Counts>;
  /** Writes how the files begin. @returns what is counted before the first source */
  readonly begin: (writers: Writers<File>) => Promise<Counts>;
  /** Writes what a source holds. @returns what is counted with it */
  readonly add: (counts: Counts, source: Source, writers: Writers<File>) => Promise<Counts>;
  /** Writes how the files end. */
  readonly end?: (writers: Writers<File>) => Promise<void>;
  /** Asked before each source. */
  readonly isTimeUp: () => boolean;
}

export interface Joined<Counts> {
  /** Whether the files are there; if not, the time was up, and another turn goes on. */
  readonly done: boolean;
  readonly counts: Counts;
}

/**
 * Joins what lies in many sources to a few files, in as many turns as it takes; memory holds a source and an upload part
 * of each file. The cursor is written at the end of a turn: one that is killed is done again from where it began, and as
 * the sources are the same, so are the files.
 */
export const joinParts = async <File extends string, Source, Counts>(
  joining: Joining<File, Source, Counts>,
): Promise<Joined<Counts>> => {
  const { folder, cursorPath, sources, begin, add, end, isTimeUp } = joining;
  const names = Object.keys(joining.files) as File[];
  const cursorSchema = z.object({
    counts: joining.schema,
    /** The source to go on with; absent once the files are there. */
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
      // An upload that is left open costs money for nothing; one that the cursor names is for the next turn.
      await Promise.allSettled(names.map((name) => writers[name].abort()));
      throw error;
    }
  };

  const cursor = cursorSchema.safeParse(parseJson((await folder.readText(cursorPath)) ?? '')).data;
  if (cursor !== undefined && cursor.next === undefined) return { done: true, counts: cursor.counts };
  try {
    return await join(cursor);
  } catch (error) {
    // It was given up, or closed: by a worker that died just then, or by a call of which the answer was lost and that was
    // made again. Written anew, it becomes the same.
    if (!isLostUpload(error)) throw error;
    return join(undefined);
  }
};
