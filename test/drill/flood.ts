import { connect } from 'node:net';

const connections = 10;

/** Sends pipelined requests over one connection. Resolves when all responses have arrived. */
const pipeline = ({ hostname, port }: URL, calls: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let responses = 0;
    socket.setEncoding('latin1').on('error', reject);
    socket.on('data', (chunk) => {
      responses += String(chunk).split('HTTP/1.1 ').length - 1;
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
