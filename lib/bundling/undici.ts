/**
 * The part of `undici` that the Lambdas use. Its index also loads fetch, WebSocket, proxies, mocks and caches: 250 kB that
 * every cold start would parse. An import of any other name fails the bundling.
 */
import request from 'undici/lib/api/api-request.js';
import errors from 'undici/lib/core/errors.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';

// undici's index adds the API methods to its dispatchers in the same way.
Object.assign(Dispatcher.prototype, { request });

export { errors, Pool };
