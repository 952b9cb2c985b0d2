// WebSockets behind a tunnel. node tunnels.mjs serve: a server that echoes what it gets, closes with the code it is asked for, and prints its port
// and what browsers report. node tunnels.mjs drive URL: a client that looks at every byte; prints "echoes, ping, close".
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { WebSocket, WebSocketServer } from 'ws';

const [mode, url] = process.argv.slice(2);
if (mode === 'serve') serve();
else await drive();

function serve() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 1 << 24, handleProtocols: (offered) => [...offered].pop() });
  server.on('listening', () => console.log(server.address().port));
  server.on('connection', (socket, request) => socket.on('message', (data, isBinary) => {
    const text = isBinary ? '' : data.toString();
    if (text.startsWith('close ')) socket.close(Number(text.slice(6)), 'as asked');
    else if (text.startsWith('report ')) console.log(text);
    else if (text === 'headers') socket.send(JSON.stringify(request.headers));
    else if (text === 'ping me') socket.ping('from the server');
    else socket.send(data, { binary: isBinary });
  }));
}

async function drive() {
  const socket = await open({ perMessageDeflate: false });
  for (const length of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    const data = randomBytes(length);
    expect(await echo(socket, data), data, `${length} bytes`);
    const text = randomBytes(length / 2).toString('hex');
    expect((await echo(socket, text)).toString(), text, `a text of ${length}`);
  }
  expect((await echo(socket, 'grüße, 世界 \u{1F600}')).toString(), 'grüße, 世界 \u{1F600}', 'Unicode');
  // many at a time, both ways
  const hashes = [createHash('sha256'), createHash('sha256')];
  let left = 200;
  const all = new Promise((resolve) => socket.on('message', (data) => { hashes[1].update(data); if (--left === 0) resolve(); }));
  for (let i = 0; i < 200; i++) {
    const data = randomBytes(16 * 1024);
    hashes[0].update(data);
    socket.send(data);
  }
  await all;
  expect(hashes[1].digest('hex'), hashes[0].digest('hex'), '200 messages at once');
  socket.ping('still there');
  expect((await once(socket, 'pong'))[0].toString(), 'still there', 'the pong');
  socket.send('ping me');
  expect((await once(socket, 'ping'))[0].toString(), 'from the server', 'the server\'s ping');
  socket.close(4000, 'done');
  expect((await once(socket, 'close'))[0], 4000, 'our close');
  for (const code of [1000, 1001, 1011, 3000, 4999]) {
    const other = await open({ perMessageDeflate: true });
    other.send(`close ${code}`);
    const [seen, reason] = await once(other, 'close');
    expect(`${seen} ${reason}`, `${code} as asked`, 'the server\'s close');
  }
  const spoken = await open({}, ['one', 'two']);
  expect(spoken.protocol, 'two', 'the subprotocol');
  expect((await echo(spoken, 'headers')).includes('"x-forwarded-proto":"http'), true, 'X-Forwarded-Proto');
  spoken.terminate();
  console.log('echoes, ping, close');
}

// names in .localhost lead to this machine, which not every system knows
function lookup(name, options, done) {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}

async function open(options, protocols = []) {
  const socket = new WebSocket(url, protocols, { ...options, lookup });
  await once(socket, 'open');
  return socket;
}

async function echo(socket, data) {
  socket.send(data);
  const [answer] = await once(socket, 'message');
  return answer;
}

function expect(seen, wanted, what) {
  if (Buffer.isBuffer(seen) && Buffer.isBuffer(wanted) ? !seen.equals(wanted) : seen !== wanted) throw new Error(`${what}: not what was sent, but ${String(seen).slice(0, 100)}`);
}
