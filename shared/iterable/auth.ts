import * as z from 'zod';
import { secretText } from '../config';
import { PipelineError } from '../errors';
import { signJwt } from './jwt';

/** The secret with our keys for Iterable. */
export const iterableCredentialSchema = z.object({
  api_key: secretText,
  jwt_secret: z.optional(secretText),
});
export type IterableCredential = z.output<typeof iterableCredentialSchema>;

const lifetimeSeconds = 3_600;
const renewBeforeSeconds = 60;
/** A user's two calls are seconds apart, so a long run needs no more tokens than this. */
const tokensKept = 10_000;

/** Returns the headers that authenticate a call. `email` is the user that the call is about; a bulk call has none. */
export type Authenticate = (credential: IterableCredential, email?: string) => Readonly<Record<string, string>>;

/** Authenticates by `Api-Key` alone. */
export const authenticateByKey: Authenticate = ({ api_key }) => ({ 'api-key': api_key });

/**
 * Authenticates by `Api-Key` and a token for the user. Tokens are cached per user until 60 s before they expire.
 *
 * The returned function throws a permanent {@link PipelineError}: `SECRET_UNREADABLE` if the secret has no
 * `jwt_secret`, `CONFIG_INVALID` for a call about more than one user.
 */
export const createJwtAuthentication = (now: () => number): Authenticate => {
  const tokens = new Map<string, { readonly token: string; readonly expiresAt: number; readonly secret: string }>();

  const tokenFor = (email: string, secret: string): string => {
    const issuedAt = Math.floor(now() / 1_000);
    const known = tokens.get(email);
    if (known?.secret === secret && issuedAt < known.expiresAt - renewBeforeSeconds) return known.token;
    const expiresAt = issuedAt + lifetimeSeconds;
    const token = signJwt({ iss: 'iterable-integration', email, iat: issuedAt, exp: expiresAt }, secret);
    tokens.delete(email);
    tokens.set(email, { token, expiresAt, secret });
    const [oldest] = tokens.keys();
    if (tokens.size > tokensKept && oldest !== undefined) tokens.delete(oldest);
    return token;
  };

  return ({ api_key, jwt_secret }, email) => {
    if (jwt_secret === undefined) {
      throw new PipelineError('SECRET_UNREADABLE', 'The secret has no jwt_secret', { retryable: false });
    }
    if (email === undefined) {
      throw new PipelineError('CONFIG_INVALID', 'A JWT key cannot make bulk calls', { retryable: false });
    }
    return { 'api-key': api_key, authorization: `Bearer ${tokenFor(email, jwt_secret)}` };
  };
};
