import * as z from 'zod';
import type { Portals } from './portals';

export const audiences = ['buyers', 'non-buyers', 'both'] as const;
export const contactFilters = ['phone-only', 'email-only', 'any'] as const;

export type Audience = (typeof audiences)[number];
/** `phone-only` and `email-only` want a usable phone number or an e-mail address; `any` wants nothing. */
export type ContactFilter = (typeof contactFilters)[number];

/** The `netlife` part of a run's input, with its defaults (docs/contracts/sync-jobs.md). An unknown portal is a fault. */
export const netlifeInputSchema = (portals: Portals) =>
  z.strictObject({
    portals: z
      .array(z.string().refine((name) => portals.find(name) !== undefined, 'is no portal that may be called'))
      .min(1)
      .max(100, 'has more than 100 entries')
      .transform((names) => [...new Set(names)])
      .default(() => [...portals.names]),
    audience: z.enum(audiences).default('both'),
    contact_filter: z.enum(contactFilters).default('any'),
    check_registered_users: z.boolean().default(true),
    registered_only: z.boolean().default(false),
    create_access_keys: z.boolean().default(false),
    job_ids: z
      .array(z.string().min(1).max(100))
      .max(1_000, 'must be at most 1,000 ids')
      .default(() => []),
    consent: z.string().min(1).max(40).default('SUBSCRIBE'),
  });

export type NetlifeInput = z.output<ReturnType<typeof netlifeInputSchema>>;
