import * as z from 'zod';
import { exactly, flag, list, oneOf, text, wholeNumber } from '../input-rules';
import { planSchema } from '../runs/plan';
import type { Portals } from './portals';

export const audiences = ['buyers', 'non-buyers', 'both'] as const;
export const contactFilters = ['phone-only', 'email-only', 'any'] as const;

export type Audience = (typeof audiences)[number];
/** `phone-only` and `email-only` require a usable phone number or an e-mail address; `any` requires neither. */
export type ContactFilter = (typeof contactFilters)[number];

/** Maximum of `max_access_key_age_days`. */
export const maxKeyAgeDays = 30;

/** Maximum number of `job_ids`. */
export const maxJobIds = 1_000;

const unknownPortal = 'is not a known portal';

/**
 * The key `netlife` of a run's input, with its defaults (docs/contracts/sync-jobs.md). An unknown portal is a fault.
 */
export const netlifeInputSchema = (portals: Portals) =>
  exactly({
    portals: list(z.string('must be a string').refine((name) => portals.find(name) !== undefined, unknownPortal))
      .min(1, 'is empty')
      .transform((names) => [...new Set(names)])
      .default(() => [...portals.names]),
    audience: oneOf(audiences).default('both'),
    contact_filter: oneOf(contactFilters).default('any'),
    check_registered_users: flag(true),
    registered_only: flag(false),
    create_access_keys: flag(false),
    max_access_key_age_days: wholeNumber(0, maxKeyAgeDays).default(7),
    job_ids: list(text(100), maxJobIds, 'must be at most 1,000 ids').default(() => []),
    consent: text(40).default('SUBSCRIBE'),
  });

/** The plan of a run that includes the Netlife job. */
export const netlifePlanSchema = (portals: Portals) => planSchema.extend({ netlife: netlifeInputSchema(portals) });
export type NetlifePlan = z.output<ReturnType<typeof netlifePlanSchema>>;

/** Reads the name of a portal as the portal. */
export const portalSchema = (portals: Portals) =>
  z.string().transform((name, context) => {
    const portal = portals.find(name);
    if (portal !== undefined) return portal;
    context.addIssue(unknownPortal);
    return z.NEVER;
  });
