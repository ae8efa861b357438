import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import { ConsoleFault } from './faults';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));

/**
 * Who may use a console: the browser that opened the printed address.
 *
 * @param host the host and port on which it listens
 */
export const createAccess = (host: string) => {
  const origin = `http://${host}`;
  const session = randomBytes(32).toString('base64url');
  let token: string | undefined = randomBytes(32).toString('base64url');
  const signInUrl = `${origin}/sign-in?token=${token}`;
  // Cookies are shared by all ports of a host.
  const cookieName = `pipeline-console-${host.replace(/^.*:/, '')}`;
  const isSignedIn = (c: Context): boolean => isSame(getCookie(c, cookieName) ?? '', session);

  return {
    /** The address to open, once. */
    signInUrl,

    /** Refuses requests by another name of this machine (DNS rebinding), and those of other sites. */
    sameSite: createMiddleware(async (c, next) => {
      if (c.req.header('host') !== host) throw new ConsoleFault('foreign', `This console is only at ${origin}.`);
      const from = c.req.header('origin');
      const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
      if (from !== origin && !(reads && from === undefined)) {
        throw new ConsoleFault('foreign', 'The request does not come from a page of this console.');
      }
      await next();
    }),

    /** Refuses requests without the session of the operator. */
    signedIn: createMiddleware(async (c, next) => {
      if (!isSignedIn(c)) {
        throw new ConsoleFault('signed-out', 'Open the address that `pipeline console` printed. It works once.');
      }
      await next();
    }),

    /** Exchanges the token of the address for the cookie of the session. */
    signIn: new Hono().get('/sign-in', (c) => {
      const given = c.req.query('token') ?? '';
      if (token !== undefined && isSame(given, token)) {
        token = undefined;
        setCookie(c, cookieName, session, { path: '/', httpOnly: true, sameSite: 'Strict' });
        return c.redirect('/');
      }
      if (isSignedIn(c)) return c.redirect('/');
      throw new ConsoleFault('signed-out', 'This address was used before, or is wrong. Start the console again.');
    }),
  };
};

export type Access = ReturnType<typeof createAccess>;
