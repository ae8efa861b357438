/**
 * The names of Lambda's REST calls, for errors about calls that are not served: path after the version → method →
 * action. `NAME` is any one segment.
 */
const actions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'account-settings': { GET: 'GetAccountSettings' },
  'event-source-mappings': { GET: 'ListEventSourceMappings', POST: 'CreateEventSourceMapping' },
  'event-source-mappings/NAME': {
    GET: 'GetEventSourceMapping',
    PUT: 'UpdateEventSourceMapping',
    DELETE: 'DeleteEventSourceMapping',
  },
  functions: { GET: 'ListFunctions', POST: 'CreateFunction' },
  'functions/NAME': { GET: 'GetFunction', DELETE: 'DeleteFunction' },
  'functions/NAME/aliases': { GET: 'ListAliases', POST: 'CreateAlias' },
  'functions/NAME/code': { PUT: 'UpdateFunctionCode' },
  'functions/NAME/concurrency': {
    GET: 'GetFunctionConcurrency',
    PUT: 'PutFunctionConcurrency',
    DELETE: 'DeleteFunctionConcurrency',
  },
  'functions/NAME/configuration': { GET: 'GetFunctionConfiguration', PUT: 'UpdateFunctionConfiguration' },
  'functions/NAME/event-invoke-config': { GET: 'GetFunctionEventInvokeConfig' },
  'functions/NAME/invocations': { POST: 'Invoke' },
  'functions/NAME/invoke-async': { POST: 'InvokeAsync' },
  'functions/NAME/policy': { GET: 'GetPolicy', POST: 'AddPermission' },
  'functions/NAME/recursion-config': { GET: 'GetFunctionRecursionConfig', PUT: 'PutFunctionRecursionConfig' },
  'functions/NAME/response-streaming-invocations': { POST: 'InvokeWithResponseStream' },
  'functions/NAME/url': { GET: 'GetFunctionUrlConfig', POST: 'CreateFunctionUrlConfig' },
  'functions/NAME/versions': { GET: 'ListVersionsByFunction', POST: 'PublishVersion' },
  layers: { GET: 'ListLayers' },
  'tags/NAME': { GET: 'ListTags', POST: 'TagResource', DELETE: 'UntagResource' },
};

/** The action of a call, and the name in its path. An unknown action is named after its method and path. */
export const actionOf = (method: string, pathname: string): { readonly action: string; readonly name?: string } => {
  const [kind = '', name, ...rest] = pathname
    .replace(/^\/\d{4}-\d{2}-\d{2}\//, '')
    .replace(/\/$/, '')
    .split('/');
  const path = [kind, ...(name === undefined ? [] : ['NAME']), ...rest].join('/');
  const action = actions[path]?.[method] ?? `${method} ${pathname}`;
  return name === undefined ? { action } : { action, name: decodeURIComponent(name) };
};
