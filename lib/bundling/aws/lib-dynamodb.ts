/**
 * The part of `@aws-sdk/lib-dynamodb` that the Lambdas use: commands with plain objects. The SDK's own marshaller converts
 * their values.
 */
import type {
  BatchGetCommandInput,
  BatchGetCommandOutput,
  GetCommandInput,
  GetCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  ScanCommandInput,
  ScanCommandOutput,
  TranslateConfig,
  UpdateCommandInput,
  UpdateCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type DynamoDBClient, dynamoDbCommand } from './client-dynamodb';
import type { WithMetadata } from './operation';

type Members = Readonly<Record<string, unknown>>;
/** Converts the values of an item, a key or an expression. */
type ConvertItem = (item: Members) => Members;

const single = ['Key', 'ExpressionAttributeValues', 'ExclusiveStartKey', 'Item', 'Attributes', 'LastEvaluatedKey'];
const listed = ['Items', 'Keys'];
/** By table: its items, or an object that holds its keys. */
const byTable = ['RequestItems', 'Responses', 'UnprocessedKeys'];
const legacy = ['AttributeUpdates', 'Expected', 'KeyConditions', 'QueryFilter', 'ScanFilter'];

const mapValues = (value: Members, convert: (value: unknown) => unknown): Members =>
  Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, convert(one)]])));

/** Converts the members of an input or an output that hold attributes. The other ones stay as they are. */
const convertMembers = (members: Members, convert: ConvertItem): Members => {
  const convertList = (list: unknown) => (list as Members[]).map(convert);
  const convertTable = (table: unknown) =>
    Array.isArray(table) ? convertList(table) : convertMembers(table as Members, convert);
  const converted: Record<string, unknown> = { ...members };
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (value === undefined) continue;
    if (single.includes(name)) converted[name] = convert(value as Members);
    else if (listed.includes(name)) converted[name] = convertList(value);
    else if (byTable.includes(name)) converted[name] = mapValues(value as Members, convertTable);
    else if (legacy.includes(name)) throw new Error(`This bundle's AWS client does not support "${name}".`);
  }
  return converted;
};

const fromWire: ConvertItem = (item) =>
  mapValues(item, (value) => unmarshall(value as never, { convertWithoutMapWrapper: true }));

/** The class of a command with plain objects. */
const documentCommand = <Input, Output>(operation: string) => {
  const Wire = dynamoDbCommand<Members, Members>(operation);
  return class {
    readonly input: Input;

    constructor(input: Input) {
      this.input = input;
    }

    async sendWith(client: InstanceType<typeof DynamoDBClient>, toWire: ConvertItem): Promise<WithMetadata<Output>> {
      const output = await client.send(new Wire(convertMembers(this.input as Members, toWire)));
      return convertMembers(output, fromWire) as WithMetadata<Output>;
    }
  };
};

type PlainOutput<Output> = Omit<Output, '$metadata'>;

export const GetCommand = documentCommand<GetCommandInput, PlainOutput<GetCommandOutput>>('GetItem');
export const UpdateCommand = documentCommand<UpdateCommandInput, PlainOutput<UpdateCommandOutput>>('UpdateItem');
export const QueryCommand = documentCommand<QueryCommandInput, PlainOutput<QueryCommandOutput>>('Query');
export const ScanCommand = documentCommand<ScanCommandInput, PlainOutput<ScanCommandOutput>>('Scan');
export const BatchGetCommand = documentCommand<BatchGetCommandInput, PlainOutput<BatchGetCommandOutput>>(
  'BatchGetItem',
);

interface DocumentCommand<Output> {
  sendWith(client: InstanceType<typeof DynamoDBClient>, toWire: ConvertItem): Promise<WithMetadata<Output>>;
}

/** A DynamoDB client for plain objects. */
export class DynamoDBDocumentClient {
  readonly #client: InstanceType<typeof DynamoDBClient>;
  readonly #toWire: ConvertItem;

  private constructor(
    client: InstanceType<typeof DynamoDBClient>,
    { marshallOptions, unmarshallOptions }: TranslateConfig,
  ) {
    if (unmarshallOptions) throw new Error('This bundle\'s AWS client does not support "unmarshallOptions".');
    const options = { ...marshallOptions, convertTopLevelContainer: true };
    this.#client = client;
    this.#toWire = (item) => mapValues(item, (value) => marshall(value as never, options));
  }

  static from(client: InstanceType<typeof DynamoDBClient>, config: TranslateConfig = {}): DynamoDBDocumentClient {
    return new DynamoDBDocumentClient(client, config);
  }

  send<Output>(command: DocumentCommand<Output>): Promise<WithMetadata<Output>> {
    return command.sendWith(this.#client, this.#toWire);
  }

  /** Does nothing: the connections are shared by all clients. */
  destroy(): void {}
}

interface Page {
  readonly LastEvaluatedKey?: Members | undefined;
}

/** A function that yields all pages of a command. */
const paginate = <Input, Output extends Page>(Command: new (input: Input) => DocumentCommand<Output>) =>
  async function* (
    { client }: { readonly client: DynamoDBDocumentClient },
    input: Input,
  ): AsyncGenerator<WithMetadata<Output>> {
    let page: WithMetadata<Output> | undefined;
    do {
      const start = page?.LastEvaluatedKey;
      page = await client.send(new Command({ ...input, ...(start && { ExclusiveStartKey: start }) }));
      yield page;
    } while (page.LastEvaluatedKey);
  };

export const paginateScan = paginate(ScanCommand);
export const paginateQuery = paginate(QueryCommand);
