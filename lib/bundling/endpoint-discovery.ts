/**
 * Stands in for `@aws-sdk/middleware-endpoint-discovery` in a bundle: the DynamoDB client sets it up, with an LRU cache
 * of 8 kB, and gives it to none of its commands, as DynamoDB has no endpoints to discover.
 */

/** Takes the client's configuration as it is. */
export const resolveEndpointDiscoveryConfig = <Config>(config: Config): Config => config;

/** Reads the setting from nowhere: endpoint discovery is neither on nor off. */
export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
  environmentVariableSelector: () => undefined,
  configFileSelector: () => undefined,
  default: undefined,
};
