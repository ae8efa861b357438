'use strict';
// Announces every AWS call that this process receives. NODE_OPTIONS loads it in each thread, because a thread's
// diagnostics channels report only its own servers.
const { subscribe } = require('node:diagnostics_channel');
const { BroadcastChannel } = require('node:worker_threads');

/** Every AWS SDK call is signed, and the signature names the service. */
const signedService = /Credential=[^/]+\/\d+\/[^/]+\/([a-z0-9-]+)\/aws4_request/;

const calls = new BroadcastChannel('aws-calls');
calls.unref();
subscribe('http.server.request.start', ({ request: { headers, method } }) => {
  const [, service] = signedService.exec(headers.authorization ?? '') ?? [];
  if (service) {
    calls.postMessage(`${service} ${String(headers['x-amz-target'] ?? method).replace(/^.*\./, '')}`);
  }
});
