import type { ErrorCode } from '../../shared/errors';

interface Explanation {
  readonly meaning: string;
  /** Whether the pipeline tries again by itself. */
  readonly retryable: 'yes' | 'no' | `${'yes' | 'no'}, ${string}`;
  /** What an operator does, beyond waiting for retries. Markdown, links relative to `docs/`. */
  readonly action: string;
}

const replay = '`orders replay <id>`';
const redrive = '`sync redrive <run>`';

const explanations: Readonly<Record<ErrorCode, Explanation>> = {
  ALREADY_RUNNING: {
    meaning:
      'Another run is using a portal, or Iterable, that this run needs. The message names it. Nothing was called.',
    retryable: 'no',
    action: 'Start the run again when the other one has ended, or start it with `--wait`.',
  },
  API_REFUSED: {
    meaning: 'An API refused the call: a 4xx other than 408, 425 and 429. A portal also refuses a login this way.',
    retryable: 'no',
    action: `Read the response: \`orders get --show-answer\`, or \`failed.csv\` of a run. For 401 and 403 correct the secret. Then ${replay} or ${redrive}.`,
  },
  API_UNAVAILABLE: {
    meaning: 'An API responded with 408, 425 or a 5xx.',
    retryable: 'yes',
    action: 'Wait. If it lasts, see [An API stays down](runbook.md#an-api-stays-down).',
  },
  AWS_FAULT: {
    meaning: 'A call to AWS failed. The message names the exception.',
    retryable: 'yes',
    action:
      'For `AccessDenied`, compare the role with the last deployment and [roll back](deploy.md#rollback). Otherwise see the AWS Health Dashboard.',
  },
  BAD_ANSWER: {
    meaning: 'An API sent a response that cannot be read: not JSON, not of the expected shape, or too large.',
    retryable:
      'no, after two more attempts at Qualia; yes for Netlife without JSON, and for an encoding that cannot be decoded',
    action:
      'For an order, look at its bytes under `rejected/` in the raw bucket. Usually the API changed: correct the schema in `shared/qualia`, `shared/netlife` or `shared/iterable`.',
  },
  BAD_MESSAGE: {
    meaning: 'A queue message, or the state that a Lambda of a sync run received, is not one of ours.',
    retryable: 'no',
    action:
      'Look at the message in the SQS console and delete it. After a deployment: [roll back](deploy.md#rollback), the two releases do not understand each other.',
  },
  BAD_PAYLOAD: {
    meaning: 'A stored object does not contain what it should: an order (of at most 4 MiB), or a part of a run.',
    retryable: 'no',
    action: `The object was changed after it was written. For an order: ${replay} downloads it again. For a run: start a new one.`,
  },
  CHECKSUM_MISMATCH: {
    meaning: 'The raw payload in S3 is not the one that was downloaded.',
    retryable: 'no, after one more receive',
    action: `${replay} downloads the order again. Find out in the [access log](privacy.md#who-can-read-it) who wrote the object.`,
  },
  CIRCUIT_OPEN: {
    meaning: 'No call was made: the API failed five times in a row, or sent a `Retry-After` that is still running.',
    retryable: 'yes, without a limit: a message that meets an open circuit uses no receive',
    action: 'Wait. If it lasts, see [An API stays down](runbook.md#an-api-stays-down).',
  },
  COLUMN_MISSING: {
    meaning:
      'The database lacks columns that the query of the Iterable sync reads, or our user is not allowed to read them. The message has all of them.',
    retryable: 'no',
    action: `Correct the rights of our user, or the query (\`shared/iterable/query.ts\`) with its contract. Then ${redrive}.`,
  },
  CONFIG_INVALID: {
    meaning: 'A Lambda has an invalid environment variable. The message names every one.',
    retryable: 'no',
    action: '[Roll back](deploy.md#rollback), then correct the stage in `lib/config.ts`.',
  },
  CONNECTION_FAULT: {
    meaning: 'A connection to an API or to the database failed, or the database refused the query.',
    retryable: 'yes, unless the database refused the query',
    action: `For the database, check its secret, the VPC of \`iterable-extract\` and the database itself, then ${redrive}.`,
  },
  GRAPHQL_ERROR: {
    meaning:
      'Qualia responded with GraphQL errors. The message says whether they are transient or permanent, and names the code if it is a known one.',
    retryable: 'yes, unless they are permanent (`docs/contracts/qualia.md`, section 2)',
    action: `If permanent, check the Qualia secret, the rights of our user, and whether Qualia still accepts \`shared/qualia/query.ts\`. Then ${replay}.`,
  },
  INTERNAL_FAULT: {
    meaning: 'An unexpected fault of our own code, or an item that no release of ours wrote.',
    retryable: 'yes, except for an item that cannot be read',
    action:
      'Read the stack in `error_details` of the log line. After a deployment: [roll back](deploy.md#rollback). Report it as a bug.',
  },
  INVALID_INPUT: {
    meaning: 'The input of a sync run is invalid. The message has every fault. Nothing was called.',
    retryable: 'no',
    action: 'Correct the input ([schema](api/run-input.schema.json)) and start a new run.',
  },
  ORDER_NOT_FOUND: {
    meaning: 'Qualia has no such order, or our user must not see it.',
    retryable: 'no',
    action:
      'None for the [test order](deploy.md#register-the-webhook-with-qualia) of "Fire Test Event". Otherwise check the rights of our user at Qualia.',
  },
  PAYLOAD_MISSING: {
    meaning: 'The raw payload, or a part of a run, is not in S3.',
    retryable: 'no, except when S3 refuses the read with 403',
    action: `The object was deleted or has expired. For an order: ${replay} downloads it again. For a run: start a new one.`,
  },
  PREFLIGHT_FAILED: {
    meaning:
      'The Iterable sync ended before it read or sent a user. The message has every fault that was found, each with its own code.',
    retryable: 'no',
    action: `Correct all of them, each by its code. Then ${redrive}, which checks again.`,
  },
  RATE_LIMITED: {
    meaning: 'An API responded with 429.',
    retryable: 'yes, after the time that `Retry-After` names',
    action: 'Wait. If it recurs, lower `callsPerSecond` in `lib/config.ts`, or ask the vendor for a higher limit.',
  },
  RETRIES_EXHAUSTED: {
    meaning: 'The fifth receive of a message failed. The message of the error has the cause.',
    retryable: 'no',
    action: 'Fix the cause, then redrive: [Dead-letter queue not empty](runbook.md#dead-letter-queue-not-empty).',
  },
  RUN_FAILED: {
    meaning: 'A job of a sync run failed. The cause of the execution has the outcome of every job.',
    retryable: 'no',
    action: 'See [Sync run failed](runbook.md#sync-run-failed).',
  },
  RUN_TAKEN_OVER: {
    meaning: 'The run was stopped, or another execution with the same `run_id` has taken it over.',
    retryable: 'no',
    action: 'None.',
  },
  SECRET_UNREADABLE: {
    meaning: 'A secret cannot be fetched, or does not have the shape that its reader expects.',
    retryable: 'yes, except for an entry that is missing in a readable secret',
    action: 'Write the secret again: [Fill the secrets](deploy.md#fill-the-secrets).',
  },
  TIMEOUT: {
    meaning:
      'An API did not respond in time, or the invocation had no time left to call it, for example because larger orders used its memory.',
    retryable: 'yes',
    action: 'Wait. If it lasts, see [Orders take too long](runbook.md#orders-take-too-long).',
  },
  UNKNOWN_STATE: {
    meaning: 'A property of the order is in a state that is not among the 54 jurisdictions.',
    retryable: 'no',
    action: `Correct the order at Qualia and ${replay}, or add the name to \`shared/internal-api/jurisdictions.ts\` and [post the affected orders again](runbook.md#the-mapping-was-fixed-post-the-affected-orders-again).`,
  },
};

const introduction = `# Error codes

<!-- Generated by \`npm run docs\` from bin/docs/error-codes.ts. -->

Every \`error_code\` of a log line and every \`error.code\` of an order. The list is closed: saved queries, alarms and people
depend on it ([\`shared/errors.ts\`](../shared/errors.ts)). "Retryable" says whether the pipeline retries without an operator;
[Failing well](architecture.md#failing-well) says how often. The commands are verbs of \`npx pipeline --stage <stage>\`.
`;

/** The page `docs/errors.md`. */
export const describeErrorCodes = (): string => {
  const rows = Object.entries(explanations).map(
    ([code, { meaning, retryable, action }]) => `| \`${code}\` | ${meaning} | ${retryable} | ${action} |`,
  );
  return [introduction, '| code | meaning | retryable | what to do |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
};
