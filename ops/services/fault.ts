import { PipelineError } from '../../shared/errors';

/**
 * Why an operation failed: what the operator asked for does not exist (`absent`), the stage cannot be reached, refuses
 * access or does not exist (`unreachable`), or the operation itself failed (`failed`).
 */
export type FaultKind = 'absent' | 'unreachable' | 'failed';

/** The error of the operator services. Its message is a sentence for the operator. */
export class ServiceFault extends Error {
  override readonly name = 'ServiceFault';

  constructor(
    readonly kind: FaultKind,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

const connectionFault = /^(ECONN|EPIPE|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|TimeoutError|UND_ERR)/;

/**
 * Converts a thrown value into an error with a sentence for the operator.
 *
 * @returns undefined for an unexpected error, which is a bug: print its stack
 */
export const toServiceFault = (thrown: unknown): ServiceFault | undefined => {
  if (thrown instanceof ServiceFault) return thrown;
  if (!(thrown instanceof Error)) return undefined;
  if (thrown instanceof PipelineError) return new ServiceFault('failed', `${thrown.message}.`, thrown);
  if ('$fault' in thrown) {
    const reason = thrown.message && thrown.message !== 'UnknownError' ? `: ${thrown.message}` : '.';
    return new ServiceFault('unreachable', `AWS refused (${thrown.name})${reason}`, thrown);
  }
  if (/Credential|TokenProvider/.test(thrown.name)) {
    const hint = 'Sign in (`aws sso login`), or set AWS_PROFILE or the AWS_* variables.';
    return new ServiceFault('unreachable', `No AWS credentials were found. ${hint}`, thrown);
  }
  if (thrown.message === 'Region is missing') {
    return new ServiceFault('unreachable', 'No AWS region is set. Give --region, or set AWS_REGION.', thrown);
  }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name;
  if (connectionFault.test(code)) return new ServiceFault('unreachable', `AWS cannot be reached (${code}).`, thrown);
  return undefined;
};
