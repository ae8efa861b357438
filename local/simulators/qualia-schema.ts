import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FieldNode,
  type GraphQLError,
  Kind,
  parse,
  validate,
} from 'graphql';

/**
 * Qualia's vendor API as known from integrations. Qualia publishes no reference, so two things are guesses: `orders` and
 * all of its shape, and `Any` for most fields, which allows order data as irregular as Qualia's
 * (numbers as strings, dates in any form).
 */
const qualiaSchema = buildSchema(`
  scalar Any

  type Query {
    order(_id: ID!): OrderAnswer
    "A guess. An order is listed if its status, or a flag of its status_details, is the requested one."
    orders(input: OrdersInput!): OrdersAnswer!
  }

  type OrderAnswer { order: Order, outstanding_tasks: Any }

  input OrdersInput { status: String, limit: Int = 50, offset: Int = 0 }
  type OrdersAnswer { orders: [Order!]!, total: Int! }

  type Order {
    _id: ID!, order_number: Any!, status: Any, status_details: StatusDetails
    vertical: Any, product_name: Any, product_type: Any, product_description: Any, purpose: Any, transaction_type: Any
    customer_name: Any, customer_id: Any, customer_order_number: Any, customer_contact: Contact
    price: Any, quoted_price: Any, purchase_price_amount: Any, loan_amount: Any, loan_type: Any, cash_only: Any
    due_date: Any, projected_close_date: Any, disbursement_date: Any, lender_name: Any, underwriter: Any
    borrowers: [Party], sellers: [Party], properties: [Property]
  }

  type StatusDetails {
    open: Any, pending: Any, accepted: Any, declined: Any, cancelled: Any, submitted: Any, revision_required: Any
    completed: Any, resubmitted: Any, resubmission_accepted: Any, created_date: Any, closed_date: Any
    cancellation_reason: Any, revision_required_reason: Any
  }

  type Contact { name: Any, phone: Any, email: Any }
  type Party { full_name: Any, first_name: Any, middle_name: Any, last_name: Any }

  type Property {
    address_1: Any, address_2: Any, city: Any, state: Any, zipcode: Any, county: Any, flat_address: Any
  }
`);

const queriesKept = 100;

interface CompiledQuery {
  readonly document: DocumentNode;
  readonly root: FieldNode | undefined;
  readonly listsStatus: boolean;
}

const compiled = new Map<string, CompiledQuery | readonly GraphQLError[]>();

/** Parses and validates once per query text: clients send the same few texts. */
const compile = (query: string): CompiledQuery | readonly GraphQLError[] => {
  const known = compiled.get(query);
  if (known !== undefined) return known;
  if (compiled.size >= queriesKept) compiled.clear();
  const fresh = compileQuery(query);
  compiled.set(query, fresh);
  return fresh;
};

const compileQuery = (query: string): CompiledQuery | readonly GraphQLError[] => {
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (error) {
    return [withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')];
  }
  const errors = validate(qualiaSchema, document);
  if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const root = operation?.selectionSet.selections.find((selection) => selection.kind === Kind.FIELD);
  return { document, root, listsStatus: root?.name.value === 'orders' && selectsStatus(root) };
};

const selectsStatus = ({ selectionSet }: FieldNode): boolean =>
  (selectionSet?.selections ?? []).some(
    (field) => field.kind === Kind.FIELD && (/^status/.test(field.name.value) || selectsStatus(field)),
  );

const withCode = (error: GraphQLError, code: string): GraphQLError => {
  error.extensions.code ??= code;
  return error;
};

/** One GraphQL request, read but not yet run. */
export interface GraphqlRequest {
  /** Name of the query's first field; empty if the query is invalid. */
  readonly operation: string;
  /** Value of that field's `_id` argument, if it has one. */
  readonly id: string | undefined;
  /** Whether it requests the status of listed orders. */
  readonly listsStatus: boolean;
  /** Runs the query with the resolvers. Errors have a code, as those of Apollo servers. */
  run(resolvers: object): ExecutionResult;
}

/** Reads a GraphQL request against Qualia's schema; never throws: `run` reports an invalid query. */
export const readGraphqlRequest = (query: string, variables: Record<string, unknown>): GraphqlRequest => {
  const compiledQuery = compile(query);
  if (!('document' in compiledQuery)) {
    return { operation: '', id: undefined, listsStatus: false, run: () => ({ errors: compiledQuery }) };
  }
  const { document, root, listsStatus } = compiledQuery;
  const id = root?.arguments?.find(({ name }) => name.value === '_id')?.value;
  const idValue =
    id?.kind === Kind.VARIABLE ? variables[id.name.value] : id?.kind === Kind.STRING ? id.value : undefined;
  return {
    operation: root?.name.value ?? '',
    id: typeof idValue === 'string' ? idValue : undefined,
    listsStatus,
    run: (resolvers) => {
      // Every resolver is synchronous, so `execute` is too.
      const result = execute({
        schema: qualiaSchema,
        document,
        rootValue: resolvers,
        variableValues: variables,
      }) as ExecutionResult;
      // Without `data`, the variables were refused before the query ran.
      const code = result.data === undefined ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR';
      result.errors?.forEach((error) => void withCode(error, code));
      return result;
    },
  };
};
