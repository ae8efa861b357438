declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** @param options `path`: folder of the LevelDB store; `createTableMs`: how long a new table stays CREATING */
  function dynalite(options: { path?: string; createTableMs?: number }): Server;
  export default dynalite;
}

declare module 'dynalite/db' {
  interface Table {
    TableStatus: string;
    GlobalSecondaryIndexes?: { IndexStatus: string }[];
  }
  interface Level {
    open(): Promise<void>;
    iterator(range: { gte: string; lt: string }): AsyncIterable<[key: string, value: Table]>;
    keys(): AsyncIterable<unknown>;
    put(key: string, value: Table): Promise<void>;
    close(): Promise<void>;
  }
  const store: {
    /** Opens the store without the server. */
    create(options: { path: string }): { db: Level };
  };
  export default store;
}

declare module 'dynalite/db/updateParser' {
  /** What an expression refers to. The parser removes from the `unused…` objects what the expression uses. */
  export interface ExpressionContext {
    readonly attrNames?: Readonly<Record<string, string>>;
    readonly attrVals?: Readonly<Record<string, object>>;
    readonly unusedAttrNames: Record<string, unknown>;
    readonly unusedAttrVals: Record<string, unknown>;
  }
  export interface ExpressionParser {
    /** Parses an expression and checks it against the names and the types of the values that it uses. */
    parse(expression: string, options: { readonly context: ExpressionContext }): unknown;
  }
  const parser: ExpressionParser;
  export default parser;
}

declare module 'dynalite/db/conditionParser' {
  const parser: import('dynalite/db/updateParser').ExpressionParser;
  export default parser;
}

declare module 'dynalite/db/projectionParser' {
  const parser: import('dynalite/db/updateParser').ExpressionParser;
  export default parser;
}

declare module 'dynalite/validations' {
  /** Expressions with their names and values. The function adds the parsers' results. */
  export interface ExpressionRequest {
    ConditionExpression?: string | undefined;
    KeyConditionExpression?: string | undefined;
    UpdateExpression?: string | undefined;
    ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
    ExpressionAttributeValues?: Readonly<Record<string, unknown>> | undefined;
    _condition?: unknown;
    _keyCondition?: unknown;
    _filter?: unknown;
    _updates?: unknown;
  }
  /** @returns what is wrong with the expressions; undefined if nothing is */
  export const validateExpressions: (request: ExpressionRequest) => string | undefined;
}
