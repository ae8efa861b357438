import type { Value } from './values';

/** One event of a log group: one log line. */
export interface LogEvent {
  /** Unix time in ms. */
  readonly timestamp: number;
  readonly message: string;
  /** Account and name of the log group: `000000000000:/aws/lambda/dev-marketplace-webhook`. */
  readonly log: string;
  readonly logStream: string;
}

/** An event or a group of events in a query. */
export interface Row {
  /** Undefined for a missing field. */
  get(name: string): Value;
  set(name: string, value: Value): void;
}

/** A row without an event. */
export const createRow = (): Row => {
  const values = new Map<string, Value>();
  return {
    get: (name) => values.get(name),
    set: (name, value) => values.set(name, value),
  };
};

/** Creates a row with the event's own fields and, for JSON, the discovered fields; nested fields have dots. */
export const createEventRow = (event: LogEvent): Row => {
  const computed = createRow();
  let json: unknown;
  const discover = (name: string): Value => {
    json ??= readObject(event.message);
    return toValue(find(json, name));
  };
  const own = (name: string): Value => {
    switch (name) {
      case '@timestamp':
      case '@ingestionTime':
        return new Date(event.timestamp);
      case '@message':
        return event.message;
      case '@logStream':
        return event.logStream;
      case '@log':
        return event.log;
      default:
        return discover(name);
    }
  };
  return { get: (name) => computed.get(name) ?? own(name), set: computed.set };
};

const readObject = (text: string): unknown => {
  try {
    return text.startsWith('{') ? JSON.parse(text) : {};
  } catch {
    return {};
  }
};

/** Also finds a field whose own name contains dots. */
const find = (value: unknown, path: string): unknown => {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  if (Object.hasOwn(value, path)) {
    return Reflect.get(value, path);
  }
  const dot = path.indexOf('.');
  return dot < 0 ? undefined : find(find(value, path.slice(0, dot)), path.slice(dot + 1));
};

const toValue = (json: unknown): Value => {
  switch (typeof json) {
    case 'string':
    case 'number':
      return json;
    case 'boolean':
      return Number(json);
    case 'object':
      return json === null ? undefined : JSON.stringify(json);
    default:
      return undefined;
  }
};
