import * as z from 'zod';
import type { Secret } from '../aws/secret';
import { required, secretText } from '../config';
import { PipelineError } from '../errors';

const loginSchema = z.object({
  username: required,
  password: secretText,
  /** Timeout of one try. */
  timeout_s: z.number().positive().max(600).default(30),
  rate_limit_per_sec: z.number().positive().default(8),
});

/** Our login at a portal, with the portal's limits. */
export type NetlifeLogin = z.output<typeof loginSchema>;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The secret: one login for all portals, or logins by portal, or both. */
export const netlifeSecretSchema = z.preprocess(
  (value) => {
    if (!isObject(value)) return value;
    const byPortal = Object.fromEntries(Object.entries(value).filter(([, entry]) => isObject(entry)));
    return { byPortal, ...('username' in value ? { shared: value } : {}) };
  },
  z.object({ shared: loginSchema.optional(), byPortal: z.record(z.string(), loginSchema) }),
);

export type NetlifeSecret = z.output<typeof netlifeSecretSchema>;

/** The login of one portal: its own, else the shared one. */
export const loginOf = (secret: Secret<NetlifeSecret>, portal: string): Secret<NetlifeLogin> => {
  const pick = ({ shared, byPortal }: NetlifeSecret): NetlifeLogin => {
    const login = byPortal[portal] ?? shared;
    if (login !== undefined) return login;
    throw new PipelineError('SECRET_UNREADABLE', `The secret holds no login for the portal ${portal}`, {
      retryable: false,
    });
  };
  return {
    get: async () => pick(await secret.get()),
    refresh: async () => pick(await secret.refresh()),
  };
};
