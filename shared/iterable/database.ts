import * as z from 'zod';
import { PipelineError } from '../errors';

/** A database of users. */
export type Database =
  | {
      readonly kind: 'mysql';
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database: string;
      /** Replaces host and port. */
      readonly socketPath?: string | undefined;
    }
  | { readonly kind: 'sqlite'; readonly file: string };

const mysqlPort = 3_306;

/** The database secret, in the format of RDS. */
export const databaseSecretSchema = z
  .object({
    username: z.string().min(1),
    password: z.string(),
    host: z.string().min(1),
    port: z.coerce.number().int().min(1).max(65_535).default(mysqlPort),
    dbname: z.string().min(1),
  })
  .transform(
    ({ username, dbname, ...rest }): Database => ({ kind: 'mysql', user: username, database: dbname, ...rest }),
  );

/**
 * Reads a `DATABASE_URL`: `mysql://user:password@host:3306/name`, with `?socket=/path` to use a Unix socket, or
 * `sqlite:/path/of/file`.
 *
 * @throws {PipelineError} `CONFIG_INVALID`, without any part of the URL
 */
export const parseDatabaseUrl = (text: string): Database => {
  const [, file] = /^sqlite:(?:\/\/)?(.+)$/.exec(text) ?? [];
  if (file !== undefined) return { kind: 'sqlite', file };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const database = decodeURIComponent(url?.pathname.slice(1) ?? '');
  if (url === undefined || !['mysql:', 'mariadb:'].includes(url.protocol) || database === '') {
    throw new PipelineError('CONFIG_INVALID', 'DATABASE_URL is no mysql: or sqlite: URL that names a database', {
      retryable: false,
    });
  }
  return {
    kind: 'mysql',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || mysqlPort,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    socketPath: url.searchParams.get('socket') ?? undefined,
  };
};
