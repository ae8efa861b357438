import * as z from 'zod';
import { exactly, flag, list, oneOf, text } from '../input-rules';
import type { Portals } from './portals';

export const audiences = ['buyers', 'non-buyers', 'both'] as const;
export const contactFilters = ['phone-only', 'email-only', 'any'] as const;

export type Audience = (typeof audiences)[number];
/** `phone-only` and `email-only` want a usable phone number or an e-mail address; `any` wants nothing. */
export type ContactFilter = (typeof contactFilters)[number];

/** The `netlife` part of a run's input, with its defaults (docs/contracts/sync-jobs.md). An unknown portal is a fault. */
export const netlifeInputSchema = (portals: Portals) =>
  exactly({
    portals: list(
      z
        .string('must be a string')
        .refine((name) => portals.find(name) !== undefined, 'is no portal that may be called'),
    )
      .min(1, 'is empty')
      .transform((names) => [...new Set(names)])
      .default(() => [...portals.names]),
    audience: oneOf(audiences).default('both'),
    contact_filter: oneOf(contactFilters).default('any'),
    check_registered_users: flag(true),
    registered_only: flag(false),
    create_access_keys: flag(false),
    job_ids: list(text(100), 1_000, 'must be at most 1,000 ids').default(() => []),
    consent: text(40).default('SUBSCRIBE'),
  });

export type NetlifeInput = z.output<ReturnType<typeof netlifeInputSchema>>;
