'use strict';
// Imitates Lambda's runtime in a plain process: loads the handler, then requests one invocation after another from the
// embedded AWS. Plain JavaScript, because every cold start would wait for a compiler.
const { existsSync } = require('node:fs');
const { once } = require('node:events');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { format } = require('node:util');

const env = process.env;
const logsJson = env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
let requestId;

// The channel closes when the embedded AWS ends: then this process ends too.
process.once('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches this process too, but the embedded AWS decides when it ends.
process.on('SIGINT', () => undefined);

/** Resolves when the message is sent, so that the process can exit afterwards. */
const send = (message) =>
  new Promise((resolve, reject) => process.send(message, (error) => (error ? reject(error) : resolve())));

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

const report = async (error) => {
  const { trace, ...description } = describe(error);
  writeLine('ERROR', { ...description, stackTrace: trace });
  await send({
    kind: requestId ? 'error' : 'initError',
    requestId,
    payload: JSON.stringify({ ...description, trace }),
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

/** Sends a message and waits for the next invocation. */
const receiveAfter = async (message) => {
  // Only a waiting runtime keeps this process alive by itself.
  process.channel.ref();
  const next = once(process, 'message');
  await send(message);
  const [invocation] = await next;
  process.channel.unref();
  return invocation;
};

const main = async () => {
  const handler = await loadHandler().catch(async (error) => {
    await report(error);
    process.exit(1);
  });
  let message = { kind: 'next' };
  for (;;) {
    const invocation = await receiveAfter(message);
    requestId = invocation.requestId;
    env._X_AMZN_TRACE_ID = invocation.traceId;
    try {
      const result = await handler(JSON.parse(invocation.payload), {
        awsRequestId: requestId,
        functionName: env.AWS_LAMBDA_FUNCTION_NAME,
        functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
        invokedFunctionArn: invocation.functionArn,
        memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
        logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
        logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
        callbackWaitsForEmptyEventLoop: true,
        getRemainingTimeInMillis: () => Math.max(invocation.deadlineMs - Date.now(), 0),
      });
      message = { kind: 'response', requestId, payload: JSON.stringify(result === undefined ? null : result) };
    } catch (error) {
      await report(error);
      message = { kind: 'next' };
    }
  }
};

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    report(error).finally(() => process.exit(1));
  });
}

main().catch(() => process.exit(1));
