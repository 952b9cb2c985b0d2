// WebSockets through a proxy: node websocket.mjs PROXY_URL. http:// asks the proxy to forward the upgrade; connect:// tunnels through it;
// socks5:// too. The server is here as well. Prints "messages, ping, close" when all went as it should.
import http from 'node:http';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { WebSocket, WebSocketServer } from 'ws';

const proxyUrl = process.argv[2];
const agent = proxyUrl.startsWith('socks') ? new SocksProxyAgent(proxyUrl)
  : proxyUrl.startsWith('connect:') ? new HttpsProxyAgent(proxyUrl.replace('connect:', 'http:'))
  : new HttpProxyAgent(proxyUrl);

const web = http.createServer().listen(0, '127.0.0.1');
await once(web, 'listening');
new WebSocketServer({ server: web, maxPayload: 1 << 24 }).on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('close', (code) => { closedWith(code); web.close(); });
});
let closedWith;
const closed = new Promise((resolve) => { closedWith = resolve; });

const socket = new WebSocket(`ws://127.0.0.1:${web.address().port}/chat`, { agent, perMessageDeflate: true });
await once(socket, 'open');
for (const length of [0, 1, 125, 126, 65535, 65536, 5_000_000]) {
  const data = randomBytes(length);
  socket.send(data);
  const [answer] = await once(socket, 'message');
  if (!answer.equals(data)) throw new Error(`${length} bytes came back changed`);
}
socket.ping('still there');
await once(socket, 'pong');
socket.close(4000, 'done');
const [code] = await once(socket, 'close');
if (code !== 4000 || await closed !== 4000) throw new Error(`closed with ${code} and ${await closed}`);
web.closeAllConnections();
agent.destroy();
console.log('messages, ping, close');
