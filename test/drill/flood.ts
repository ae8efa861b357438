import { connect } from 'node:net';

const connections = 10;
/** How each response begins. */
const statusLine = 'HTTP/1.1 ';

/** Sends pipelined requests over one connection. Resolves when all responses have arrived. */
const pipeline = ({ hostname, port }: URL, calls: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let responses = 0;
    /** The end of the text so far: a status line can be cut by the end of a chunk. */
    let rest = '';
    socket.setEncoding('latin1').on('error', reject);
    socket.on('data', (chunk) => {
      const parts = (rest + chunk).split(statusLine);
      responses += parts.length - 1;
      rest = (parts.at(-1) ?? '').slice(1 - statusLine.length);
      if (responses >= calls) {
        socket.destroy();
        resolve();
      }
    });
    socket.write(`POST /webhooks/qualia HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: 0\r\n\r\n`.repeat(calls));
  });

/** Calls the webhook without credentials, in one burst: a client that waits for responses would stay below the throttle. */
export const flood = async (apiUrl: string, calls: number): Promise<void> => {
  const url = new URL(apiUrl);
  await Promise.all(Array.from({ length: connections }, () => pipeline(url, calls / connections)));
};
