/** Where a service is. */

export interface ServiceName {
  /** In host names and signatures: `dynamodb`. */
  readonly prefix: string;
  /** In endpoint variables: `DYNAMODB`. */
  readonly variable: string;
}

export const readRegion = (): string => {
  const region = process.env.AWS_REGION;
  if (region) return region;
  throw new Error('Region is missing: AWS_REGION is not set in the environment.');
};

const suffixOf = (region: string): string => {
  if (/^(?:us-iso|eu-iso|eusc-)/.test(region))
    throw new Error(`This bundle's AWS client does not know the region ${region}.`);
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
};

/** The endpoint that an option or a variable sets, or the public one of the region. */
export const endpointOf = ({ prefix, variable }: ServiceName, region: string, option?: string): URL =>
  new URL(
    option ??
      (process.env[`AWS_ENDPOINT_URL_${variable}`] ||
        process.env.AWS_ENDPOINT_URL ||
        `https://${prefix}.${region}.${suffixOf(region)}`),
  );

const isIpAddress = (hostname: string): boolean => /^\[|^\d+\.\d+\.\d+\.\d+$/.test(hostname);

/** A bucket is a part of the host name where that is possible, otherwise of the path. */
export const addressBucket = (
  endpoint: URL,
  bucket: string,
  forcePathStyle: boolean,
): { origin: URL; path: string } => {
  const isHostLabel = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket);
  if (forcePathStyle || !isHostLabel || isIpAddress(endpoint.hostname)) return { origin: endpoint, path: `/${bucket}` };
  const origin = new URL(endpoint);
  origin.hostname = `${bucket}.${endpoint.hostname}`;
  return { origin, path: '' };
};
