'use strict';
// Imitates Lambda's runtime in a plain process: loads the handler, then requests one invocation after another from the
// Runtime API. Plain JavaScript, because every cold start would wait for a compiler.
const { existsSync } = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { format } = require('node:util');

const env = process.env;
const [hostname, port] = env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const logsJson = env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
let requestId;

// The pipe closes when the embedded AWS ends: then this process ends too.
process.stdin.once('end', () => process.exit(0));
process.stdin.resume();
process.stdin.unref();
// Ctrl-C in a terminal reaches this process too, but the embedded AWS decides when it ends.
process.on('SIGINT', () => undefined);

const call = (method, resource, body, headers = {}) => {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { agent, hostname, port, method, path: `/2018-06-01/runtime/${resource}`, headers },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
};

const writeLine = (level, message) => {
  const timestamp = new Date().toISOString();
  process.stdout.write(
    logsJson
      ? `${JSON.stringify({ timestamp, level, requestId, message })}\n`
      : `${timestamp}\t${requestId}\t${level}\t${typeof message === 'string' ? message : JSON.stringify(message)}\n`,
  );
};

for (const [method, level] of Object.entries({
  log: 'INFO',
  info: 'INFO',
  debug: 'DEBUG',
  trace: 'TRACE',
  warn: 'WARN',
  error: 'ERROR',
})) {
  console[method] = (...values) => writeLine(level, format(...values));
}

const describe = (error) => {
  return error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') }
    : { errorType: typeof error, errorMessage: format(error), trace: [] };
};

const report = async (resource, error) => {
  const { trace, ...description } = describe(error);
  writeLine('ERROR', { ...description, stackTrace: trace });
  await call('POST', resource, JSON.stringify({ ...description, trace }), {
    'lambda-runtime-function-error-type': description.errorType,
  });
};

const loadHandler = async () => {
  const [, file, name] = /^(.*)\.([^.]+)$/.exec(env._HANDLER);
  const base = path.resolve(env.LAMBDA_TASK_ROOT, file);
  const found = ['.js', '.mjs', '.cjs'].map((extension) => base + extension).find(existsSync);
  if (!found) {
    throw Object.assign(new Error(`Error: Cannot find module '${file}'`), { name: 'Runtime.ImportModuleError' });
  }
  const loaded = found.endsWith('.mjs') ? await import(pathToFileURL(found).href) : require(found);
  if (typeof loaded[name] !== 'function') {
    throw Object.assign(new Error(`${env._HANDLER} is undefined or not exported`), {
      name: 'Runtime.HandlerNotFound',
    });
  }
  return loaded[name];
};

const main = async () => {
  const handler = await loadHandler().catch(async (error) => {
    await report('init/error', error);
    process.exit(1);
  });
  for (;;) {
    const { headers, body } = await call('GET', 'invocation/next');
    requestId = headers['lambda-runtime-aws-request-id'];
    env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
    const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
    try {
      const result = await handler(JSON.parse(body.toString()), {
        awsRequestId: requestId,
        functionName: env.AWS_LAMBDA_FUNCTION_NAME,
        functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
        invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
        memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
        logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
        logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
        callbackWaitsForEmptyEventLoop: true,
        getRemainingTimeInMillis: () => Math.max(deadlineMs - Date.now(), 0),
      });
      await call('POST', `invocation/${requestId}/response`, JSON.stringify(result === undefined ? null : result));
    } catch (error) {
      await report(`invocation/${requestId}/error`, error);
    }
  }
};

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    report(requestId ? `invocation/${requestId}/error` : 'init/error', error).finally(() => process.exit(1));
  });
}

main().catch(() => process.exit(1));
