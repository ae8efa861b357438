import { request as sendRequest } from 'node:http';
import { type LoopbackServer, readBody, serveOnLoopback } from '../../../emulator/loopback-server';

/** A request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A proxy in front of AWS that keeps every request. `originOf` finds the server for a request. */
export const startRecordingProxy = async (
  originOf: (request: RecordedRequest) => string,
): Promise<LoopbackServer & { take(): RecordedRequest[] }> => {
  const requests: RecordedRequest[] = [];
  const server = await serveOnLoopback(async (incoming, response) => {
    const { method = '', url = '', rawHeaders } = incoming;
    const headers: Record<string, string> = {};
    for (let index = 0; index < rawHeaders.length; index += 2) {
      headers[rawHeaders[index]?.toLowerCase() ?? ''] = rawHeaders[index + 1] ?? '';
    }
    const recorded = { method, target: url, headers, body: await readBody(incoming) };
    requests.push(recorded);
    await new Promise<void>((resolve, reject) => {
      const { expect: _expect, ...passed } = headers;
      sendRequest(`${originOf(recorded)}${url}`, { method, headers: passed }, (upstream) => {
        response.writeHead(upstream.statusCode ?? 502, upstream.headers);
        upstream.pipe(response).on('finish', resolve).on('error', reject);
      })
        .on('error', reject)
        .end(recorded.body);
    });
  });
  return {
    ...server,
    /** The requests since the last call. */
    take: () => requests.splice(0),
  };
};
