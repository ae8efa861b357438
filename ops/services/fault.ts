import { PipelineError } from '../../shared/errors';

/**
 * What kept an operator's wish from coming true: what was asked for is not there (`absent`), the stage cannot be
 * reached, refuses, or does not exist (`unreachable`), or something went wrong on the way (`failed`).
 */
export type FaultKind = 'absent' | 'unreachable' | 'failed';

/** The one error of the operators' services. Its message is a sentence for the operator. */
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
 * Gives a sentence to whatever a service threw.
 *
 * @returns nothing for what nobody foresaw: that is a fault of ours, and its stack is worth seeing.
 */
export const toServiceFault = (thrown: unknown): ServiceFault | undefined => {
  if (thrown instanceof ServiceFault) return thrown;
  if (!(thrown instanceof Error)) return undefined;
  if (thrown instanceof PipelineError) return new ServiceFault('failed', `${thrown.message}.`, thrown);
  if ('$fault' in thrown) {
    const said = thrown.message && thrown.message !== 'UnknownError' ? `: ${thrown.message}` : '.';
    return new ServiceFault('unreachable', `AWS refused (${thrown.name})${said}`, thrown);
  }
  if (/Credential|TokenProvider/.test(thrown.name)) {
    const hint = 'Sign in (`aws sso login`), or set AWS_PROFILE or the AWS_* variables.';
    return new ServiceFault('unreachable', `There are no AWS credentials to work with. ${hint}`, thrown);
  }
  if (thrown.message === 'Region is missing') {
    return new ServiceFault('unreachable', 'No AWS region is set. Give --region, or set AWS_REGION.', thrown);
  }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name;
  if (connectionFault.test(code)) return new ServiceFault('unreachable', `AWS cannot be reached (${code}).`, thrown);
  return undefined;
};
