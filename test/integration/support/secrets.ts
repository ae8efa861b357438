/** The secrets in the embedded Secrets Manager, by name. */
export const secrets = {
  webhook: {
    basic: [{ username: 'qualia', password: 'webhook-password' }],
    signing_secrets: ['whsec_aW50ZWdyYXRpb24tdGVzdHMtc2lnbg=='],
  },
  qualia: { username: 'vendor', password: 'qualia-password' },
  internalApi: { token: 'internal-token' },
} as const;
