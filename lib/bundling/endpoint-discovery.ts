/**
 * Replaces `@aws-sdk/middleware-endpoint-discovery` in bundles. The DynamoDB client configures it, with an LRU cache (8 kB of
 * code), but none of its commands uses it.
 */

/** Returns the client's configuration unchanged. */
export const resolveEndpointDiscoveryConfig = <Config>(config: Config): Config => config;

/** Reads no setting: endpoint discovery is neither on nor off. */
const discoveryOptions = {
  environmentVariableSelector: () => undefined,
  configFileSelector: () => undefined,
  default: undefined,
};

// The SDK's name.
export { discoveryOptions as NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS };
