// The npm package "nerdbank-streams" as a session's peer: node sessions.mjs serve VERSION WINDOW, which prints its port, or
// drive VERSION WINDOW PORT, which prints a line for each check that passed. tests/ProxyShell.SessionPeer does the same.
import net from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import cancellation from 'cancellationtoken';
import nerdbank from 'nerdbank-streams';

const { MultiplexingStream } = nerdbank;
const CancellationToken = cancellation.default ?? cancellation;
const [role, version, windowSize, port] = process.argv.slice(2);
const seeded = version === '3' ? [{}, {}] : [];
const options = { protocolMajorVersion: Number(version), defaultChannelReceivingWindowSize: Number(windowSize), seededChannels: seeded };

const sum = (bytes) => createHash('sha256').update(bytes).digest('hex');

// iterating over a stream would destroy it at its end, and the other direction with it
async function readAll(stream) {
  const parts = [];
  stream.on('data', (part) => parts.push(part));
  await once(stream, 'end');
  return Buffer.concat(parts);
}

// a rejected channel also fails promises of which nobody here has heard
process.on('unhandledRejection', (e) => console.error('nobody waited for:', e.message));

async function serveChannel(mx, { id, name }) {
  if (name === 'echo') {
    const { stream } = mx.acceptChannel(id);
    stream.pipe(stream);
  } else if (name === 'sum') {
    const { stream } = mx.acceptChannel(id);
    const bytes = await readAll(stream);
    stream.end(sum(bytes));
  } else if (name === 'number') {
    const { stream } = mx.acceptChannel(id);
    const number = Number((await readAll(stream)).toString());
    stream.end('accepted');
    const echo = mx.acceptChannel(number).stream;
    echo.pipe(echo);
  } else if (name === 'reject') {
    mx.rejectChannel(id);
  } else if (name === 'fail') {
    const channel = mx.acceptChannel(id);
    channel.completion.catch(() => {});
    channel.stream.write('begun', () => channel.dispose(new Error('ran out of paper')));
  }
}

async function serve() {
  const server = net.createServer({ allowHalfOpen: false, noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  console.log(server.address().port);
  const [socket] = await once(server, 'connection');
  server.close();
  const mx = await MultiplexingStream.CreateAsync(socket, options);
  mx.on('channelOffered', (offer) => { serveChannel(mx, offer).catch((e) => console.error(offer.name, e)); });
  for (let i = 0; i < seeded.length; i++) { const { stream } = mx.acceptChannel(i); stream.pipe(stream); }
  await mx.completion;
}

async function echo(channel, length) {
  const sent = randomBytes(length);
  channel.stream.end(sent);
  const got = await readAll(channel.stream);
  if (!got.equals(sent)) throw new Error(`${got.length} of ${length} bytes came back`);
  await channel.completion;
}

async function rejects(promise, text) {
  try {
    await promise;
  } catch (e) {
    if (!String(e.message).includes(text)) throw e;
    return;
  }
  throw new Error('it did not fail');
}

async function drive() {
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const mx = await MultiplexingStream.CreateAsync(socket, options);
  const check = async (name, run) => {
    let late;
    await Promise.race([run(), new Promise((_, reject) => { late = setTimeout(() => reject(new Error(`${name}: no end within 60 s`)), 60000); })]);
    clearTimeout(late);
    console.log(name);
  };
  const tiny = Number(windowSize) < 1000;
  await check('a named channel', async () => echo(await mx.offerChannelAsync('echo'), 100_000));
  await check('an anonymous channel', async () => {
    const nameless = mx.createChannel();
    const numbers = await mx.offerChannelAsync('number');
    numbers.stream.end(String(nameless.qualifiedId.id));
    if ((await readAll(numbers.stream)).toString() !== 'accepted') throw new Error('not accepted');
    await echo(nameless, 5000);
  });
  await check('bulk each way at once', async () => {
    const part = randomBytes(tiny ? 100_000 : 1 << 20);
    const times = tiny ? 1 : 64;
    const { stream } = await mx.offerChannelAsync('echo');
    const sent = createHash('sha256');
    const got = createHash('sha256');
    const sending = (async () => {
      for (let i = 0; i < times; i++) { sent.update(part); if (!stream.write(part)) await once(stream, 'drain'); }
      stream.end();
    })();
    stream.on('data', (bytes) => got.update(bytes));
    await once(stream, 'end');
    await sending;
    if (sent.digest('hex') !== got.digest('hex')) throw new Error('the checksums differ');
  });
  await check('half-close', async () => {
    const sent = randomBytes(70_000);
    const { stream } = await mx.offerChannelAsync('sum');
    stream.end(sent);
    if ((await readAll(stream)).toString() !== sum(sent)) throw new Error('the checksums differ');
  });
  await check('rejection', () => rejects(mx.offerChannelAsync('reject'), ''));
  await check('cancellation', async () => {
    const source = CancellationToken.create();
    const offer = mx.offerChannelAsync('never', {}, source.token);
    setTimeout(() => source.cancel('enough'), 50);
    await rejects(offer, '');
    await echo(await mx.offerChannelAsync('echo'), 10);
  });
  await check('error text', async () => {
    const channel = await mx.offerChannelAsync('fail');
    channel.stream.resume();
    if (version === '1') await channel.completion;
    else await rejects(channel.completion, 'ran out of paper');
  });
  await check('1,000 channels', () => Promise.all(Array.from({ length: 1000 }, async (_, i) => echo(await mx.offerChannelAsync('echo'), i))));
  if (seeded.length) {
    await check('seeded channels', async () => { await echo(mx.acceptChannel(0), 1000); await echo(mx.acceptChannel(1), 30_000); });
  }
  mx.dispose();
}

await { serve, drive }[role]();
process.exit(0);
