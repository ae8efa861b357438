/** The part of `@aws-sdk/client-s3` that the Lambdas use. */
import type {
  AbortMultipartUploadCommandInput,
  CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommandInput,
  GetObjectCommandInput,
  ListObjectsV2CommandInput,
  PutObjectCommandInput,
  UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import { type ReadableBody, readableBody } from './body';
import { clientOf } from './client';
import { ServiceException } from './errors';
import type { HttpResponse } from './exchange';
import type { WithMetadata } from './operation';
import { s3Commands } from './rest-xml';
import { childOf, escapeXml, parseDocument, textOf } from './xml';

export class S3ServiceException extends ServiceException {}
export class NoSuchKey extends S3ServiceException {}
export class NoSuchUpload extends S3ServiceException {}
export class NotFound extends S3ServiceException {}

export const S3Client = clientOf({ prefix: 's3', variable: 'S3', maxAttempts: 3, baseDelayMs: 50 });

/** Marked as pure where it is called, so that a bundle has only the commands that it uses. */
const command = s3Commands({ base: S3ServiceException, byName: { NoSuchKey, NoSuchUpload, NotFound } });

const header = ({ headers }: HttpResponse, name: string): string | undefined => headers[name]?.toString();

interface Stored {
  readonly ETag?: string | undefined;
}
const readETag = (response: HttpResponse): Stored => ({ ETag: header(response, 'etag') });

interface StoredObject extends Stored {
  readonly Body?: ReadableBody;
  readonly ContentLength?: number;
  readonly ContentType?: string | undefined;
}

export const GetObjectCommand = /* @__PURE__ */ command<GetObjectCommandInput, StoredObject>({
  method: 'GET',
  query: { 'x-id': 'GetObject' },
  headers: { 'x-amz-checksum-mode': 'ENABLED' },
  isStreamed: true,
  read: (response) => ({
    ...readETag(response),
    ContentLength: Number(response.headers['content-length']),
    ContentType: header(response, 'content-type'),
    ...(response.stream && { Body: readableBody(response.stream, response.headers) }),
  }),
});

export const PutObjectCommand = /* @__PURE__ */ command<PutObjectCommandInput, Stored>({
  method: 'PUT',
  query: { 'x-id': 'PutObject' },
  read: readETag,
});

export const UploadPartCommand = /* @__PURE__ */ command<UploadPartCommandInput, Stored>({
  method: 'PUT',
  query: { 'x-id': 'UploadPart' },
  read: readETag,
});

export const CreateMultipartUploadCommand = /* @__PURE__ */ command<
  CreateMultipartUploadCommandInput,
  { readonly UploadId: string | undefined }
>({
  method: 'POST',
  query: { uploads: '' },
  read: ({ body }) => ({ UploadId: textOf(parseDocument(body).value, 'UploadId') }),
});

export const CompleteMultipartUploadCommand = /* @__PURE__ */ command<CompleteMultipartUploadCommandInput, Stored>({
  method: 'POST',
  headers: { 'content-type': 'application/xml' },
  documentOf: ({ MultipartUpload: { Parts = [] } = {} }: CompleteMultipartUploadCommandInput) => {
    const parts = Parts.map(
      ({ ETag = '', PartNumber }) =>
        `<Part><ETag>${escapeXml(ETag)}</ETag><PartNumber>${PartNumber}</PartNumber></Part>`,
    );
    return `<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`;
  },
  mayFailLate: true,
  read: ({ body }) => ({ ETag: textOf(parseDocument(body).value, 'ETag') }),
});

export const AbortMultipartUploadCommand = /* @__PURE__ */ command<AbortMultipartUploadCommandInput, object>({
  method: 'DELETE',
  query: { 'x-id': 'AbortMultipartUpload' },
  read: () => ({}),
});

interface ObjectList {
  readonly Contents?: readonly { readonly Key?: string | undefined; readonly Size?: number }[];
  readonly IsTruncated: boolean;
  readonly NextContinuationToken?: string | undefined;
}

export const ListObjectsV2Command = /* @__PURE__ */ command<ListObjectsV2CommandInput, ObjectList>({
  method: 'GET',
  query: { 'list-type': '2' },
  read: ({ body }) => {
    const { value } = parseDocument(body);
    const contents = childOf(value, 'Contents');
    const list = Array.isArray(contents) ? contents : contents === undefined ? [] : [contents];
    return {
      ...(list.length > 0 && {
        Contents: list.map((entry) => ({ Key: textOf(entry, 'Key'), Size: Number(textOf(entry, 'Size')) })),
      }),
      IsTruncated: textOf(value, 'IsTruncated') === 'true',
      NextContinuationToken: textOf(value, 'NextContinuationToken'),
    };
  },
});

/** All pages of a list. */
export async function* paginateListObjectsV2(
  { client }: { readonly client: InstanceType<typeof S3Client> },
  input: ListObjectsV2CommandInput,
): AsyncGenerator<WithMetadata<ObjectList>> {
  let token = input.ContinuationToken;
  do {
    const page: WithMetadata<ObjectList> = await client.send(
      new ListObjectsV2Command({ ...input, ContinuationToken: token }),
    );
    yield page;
    token = page.NextContinuationToken;
  } while (token);
}
