import * as z from 'zod';

export type Brand = 'Generations' | 'Legacy' | 'Unknown';

/** A Netlife shop that we may call. */
export interface Portal {
  readonly name: string;
  readonly brand: Brand;
  /** Scheme, host and port. No call leaves it, and the links in the contacts file start with it. */
  readonly origin: string;
  /** Path of its API below the origin, without a trailing slash: `/api/v1`. */
  readonly basePath: string;
}

export interface Portals {
  /** Every portal's name: the known ones, then those added by configuration. */
  readonly names: readonly string[];
  /** The SSRF guard: `undefined` for a name that is not listed. No URL is built from such a name. */
  find(name: string): Portal | undefined;
}

const portalsByBrand: Readonly<Record<Exclude<Brand, 'Unknown'>, readonly string[]>> = {
  Generations: ['nowandforeverphoto', 'generationsphotos', 'nowandgen'],
  Legacy: [
    'legacyseniorphotos',
    'legacyphoto',
    'legacyphotos',
    'westpointportraits',
    'midshipmenportraits',
    'coastguardportraits',
  ],
};

const placeholder = '{portal}';
const defaultBaseUrl = `https://${placeholder}.shop/api/v1`;

/** A host label, because the name of a portal becomes part of a URL. */
const portalName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is not the name of a portal');

const baseUrl = z.string().refine((text) => {
  const url = URL.parse(text.replaceAll(placeholder, 'portal'));
  return url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === '';
}, 'is not an http(s) URL without query');

const baseUrlByPortal = z.string().transform((text, context) => {
  try {
    return z.record(portalName, baseUrl).parse(JSON.parse(text));
  } catch {
    context.addIssue('is not a JSON object of portal names and URLs');
    return z.NEVER;
  }
});

/** Environment variables for `createPortals`, to spread into a Lambda's configuration schema. */
export const portalVariables = {
  /**
   * Replaces `https://{portal}.shop/api/v1`: another URL, with or without `{portal}` in it, or a JSON object of URLs
   * by portal. For simulators.
   */
  NETLIFE_BASE_URL: z.union([baseUrl, baseUrlByPortal]).optional(),
  /** Further portals, separated by commas. */
  NETLIFE_EXTRA_PORTALS: z
    .string()
    .transform((text) => text.split(',').flatMap((name) => name.trim() || []))
    .pipe(z.array(portalName))
    .optional(),
};

export type PortalConfig = z.output<z.ZodObject<typeof portalVariables>>;

/** The portals by name. A portal without a configured base URL keeps the default one. */
export const createPortals = (config: PortalConfig = {}): Portals => {
  const { NETLIFE_BASE_URL: override, NETLIFE_EXTRA_PORTALS: extra = [] } = config;
  const brands = new Map<string, Brand>([
    ...extra.map((name) => [name, 'Unknown'] as const),
    ...Object.entries(portalsByBrand).flatMap(([brand, names]) => names.map((name) => [name, brand as Brand] as const)),
  ]);
  const baseUrlOf = (name: string): string => {
    const template = (typeof override === 'string' ? override : override?.[name]) ?? defaultBaseUrl;
    return template.replaceAll(placeholder, name);
  };
  const known = Object.values(portalsByBrand).flat();
  return {
    names: [...known, ...extra.filter((name) => !known.includes(name))],
    find: (name) => {
      const brand = brands.get(name);
      if (brand === undefined) return undefined;
      const { origin, pathname } = new URL(baseUrlOf(name));
      return { name, brand, origin, basePath: pathname.replace(/\/+$/, '') };
    },
  };
};
