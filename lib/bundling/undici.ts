/**
 * What the Lambdas use of `undici`, and nothing else: its index loads fetch, WebSocket, proxies, mocks and caches as
 * well, a quarter of a megabyte that every cold start would parse. Importing any other name fails the bundle.
 */
import request from 'undici/lib/api/api-request.js';
import errors from 'undici/lib/core/errors.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';

// undici's own index adds the API methods to its dispatchers in this way.
Object.assign(Dispatcher.prototype, { request });

export { errors, Pool };
