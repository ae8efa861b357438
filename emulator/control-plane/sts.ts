import type { IncomingHttpHeaders } from 'node:http';
import { accountId } from '../resource-types';

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** The access key of a signed request. */
const accessKeyOf = ({ authorization }: IncomingHttpHeaders): string =>
  /Credential=([\w-]+)\//.exec(authorization ?? '')?.[1] ?? 'anonymous';

/** Responds to `GetCallerIdentity`: the access key is the name of the user, as this machine has no users. */
export const callerIdentity = (headers: IncomingHttpHeaders): string => {
  const user = accessKeyOf(headers);
  const result = `<Arn>arn:aws:iam::${accountId}:user/${user}</Arn><UserId>${user}</UserId><Account>${accountId}</Account>`;
  return (
    `<GetCallerIdentityResponse xmlns="${namespace}"><GetCallerIdentityResult>${result}</GetCallerIdentityResult>` +
    '<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>' +
    '</GetCallerIdentityResponse>'
  );
};

/** Responds to `AssumeRole`: any role can be assumed, and has the credentials of the caller. */
export const assumedRole = (headers: IncomingHttpHeaders): string => {
  const credentials =
    `<AccessKeyId>${accessKeyOf(headers)}</AccessKeyId><SecretAccessKey>local</SecretAccessKey>` +
    '<SessionToken>local</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>';
  return (
    `<AssumeRoleResponse xmlns="${namespace}"><AssumeRoleResult><Credentials>${credentials}</Credentials>` +
    '</AssumeRoleResult></AssumeRoleResponse>'
  );
};

/** An error of STS: `action` is not served. */
export const stsRefusal = (message: string): string =>
  `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>InvalidAction</Code>` +
  `<Message>${message}</Message></Error></ErrorResponse>`;
