// The npm package "socks" as a client: node socks.mjs connect|bind|associate PROXY_URL HOST:PORT [PATH]
// PROXY_URL is socks4://, socks4a:// or socks5:// with user:password@ where needed. Prints what the caller checks.
import dgram from 'node:dgram';
import net from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { SocksClient } from 'socks';

const [command, proxyUrl, target, path] = process.argv.slice(2);
const url = new URL(proxyUrl.replace(/^socks/, 'http'));
const proxy = {
  host: url.hostname, port: Number(url.port), type: proxyUrl.startsWith('socks4') ? 4 : 5,
  ...(url.username && { userId: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }),
};
const colon = target.lastIndexOf(':');
const destination = { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };

async function connect() {
  const { socket } = await SocksClient.createConnection({ proxy, command: 'connect', destination });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
  const parts = [];
  for await (const part of socket) parts.push(part);
  const answer = Buffer.concat(parts);
  console.log(createHash('sha256').update(answer.subarray(answer.indexOf('\r\n\r\n') + 4)).digest('hex'));
}

// the far side connects to where the proxy listens for us, and both say something
async function bind() {
  const client = new SocksClient({ proxy, command: 'bind', destination });
  const bound = once(client, 'bound');
  const established = once(client, 'established');
  client.connect();
  const [{ remoteHost }] = await bound;
  const peer = net.connect(remoteHost.port, remoteHost.host === '0.0.0.0' ? proxy.host : remoteHost.host);
  peer.end('from outside');
  const [{ socket, remoteHost: who }] = await established;
  socket.end('from inside');
  socket.resume();
  const heard = [];
  for await (const part of peer) heard.push(part);
  if (!who.host) throw new Error('the second answer names nobody');
  console.log(Buffer.concat(heard).toString());
}

// datagrams of several sizes to an echo server and back, in the frames of RFC 1928; the flow must end with its TCP connection
async function associate() {
  const { socket: control, ...info } = await new Promise((resolve, reject) => {
    const client = new SocksClient({ proxy, command: 'associate', destination: { host: '0.0.0.0', port: 0 } });
    client.on('established', resolve).on('error', reject);
    client.connect();
  });
  const relay = { host: info.remoteHost.host === '0.0.0.0' ? proxy.host : info.remoteHost.host, port: info.remoteHost.port };
  const socket = dgram.createSocket('udp4');
  for (const length of [1, 100, 1400, 9000, 60000]) {
    const data = randomBytes(length);
    for (let attempt = 1; ; attempt++) {
      socket.send(SocksClient.createUDPFrame({ remoteHost: destination, data }), relay.port, relay.host);
      const answer = await Promise.race([once(socket, 'message'), new Promise((done) => setTimeout(done, 2000).unref())]);
      if (answer) {
        const frame = SocksClient.parseUDPFrame(answer[0]);
        if (!frame.data.equals(data)) throw new Error(`${length} bytes came back changed`);
        if (frame.remoteHost.port !== destination.port) throw new Error(`the answer is from ${JSON.stringify(frame.remoteHost)}`);
        break;
      }
      if (attempt === 3) throw new Error(`${length} bytes did not come back`);
    }
  }
  console.log('five datagrams');
  socket.close();
  control.destroy();
}

await { connect, bind, associate }[command]();
