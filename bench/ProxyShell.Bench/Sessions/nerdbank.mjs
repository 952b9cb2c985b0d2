// The npm package nerdbank-streams in the roles of the bench's own session processes (SessionRoles.cs), with the package's own settings:
// node nerdbank.mjs session-far PORT | session-near PORT LISTEN=DESTINATION... | session-drive PORT
import net from 'node:net';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream';
import nerdbank from 'nerdbank-streams';

const { MultiplexingStream } = nerdbank;
const [role, carrier, ...forwards] = process.argv.slice(2);
const options = { protocolMajorVersion: 3, seededChannels: [] };
const atOnce = 500;

process.on('unhandledRejection', () => {}); // of channels that were given up

const listen = (port, serve) => net.createServer({ noDelay: true }, serve).listen(Number(port), '127.0.0.1');

// the package leaves it to its users to close a channel whose directions have both ended
const closeAtEnd = (channel) => finished(channel.stream, () => channel.dispose());

// A channel that is disposed of while its peer still sends ends the whole session of this package: a socket that is gone ends its direction and
// takes what comes, and the far side lets go of the destination when the near one has ended.
function join(socket, channel) {
  const { stream } = channel;
  socket.on('error', () => {}).on('close', () => stream.resume().end());
  socket.pipe(stream);
  stream.on('error', () => {}).on('end', () => socket.destroySoon());
  stream.pipe(socket);
  closeAtEnd(channel);
}

function echo(channel) {
  channel.stream.pipe(channel.stream);
  closeAtEnd(channel);
}

function far() {
  listen(carrier, async (socket) => {
    socket.on('error', () => {});
    const mx = await MultiplexingStream.CreateAsync(socket, options);
    mx.on('channelOffered', ({ id, name }) => {
      const channel = mx.acceptChannel(id);
      if (name === 'echo') echo(channel);
      else join(net.connect({ port: Number(name), host: '127.0.0.1', noDelay: true }), channel);
    });
    await mx.completion.catch(() => {});
  });
}

async function connect() {
  const socket = net.connect({ port: Number(carrier), host: '127.0.0.1', noDelay: true });
  socket.on('close', () => process.exit(1));
  await once(socket, 'connect');
  const mx = await MultiplexingStream.CreateAsync(socket, options);
  (await mx.offerChannelAsync('echo')).dispose(); // the far side is there
  return mx;
}

async function near() {
  const mx = await connect();
  for (const forward of forwards) {
    const [port, destination] = forward.split('=');
    listen(port, async (socket) => {
      socket.on('error', () => {});
      join(socket, await mx.offerChannelAsync(destination));
    });
  }
}

const open = (mx, count) => Promise.all(Array.from({ length: count }, () => mx.offerChannelAsync('echo')));

async function exchange({ stream }) {
  const answer = once(stream, 'data');
  stream.write('x');
  await answer;
}

async function cycle(mx, count, exchanges) {
  const started = process.hrtime.bigint();
  const channels = await open(mx, count);
  if (exchanges) await Promise.all(channels.map(exchange));
  await Promise.all(channels.map((channel) => {
    closeAtEnd(channel);
    channel.stream.resume().end();
    return channel.completion;
  }));
  return Number(process.hrtime.bigint() - started) / 1e6;
}

const held = [];

function heap() {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

async function hold(mx, count) {
  const before = heap();
  for (let missing = count; missing > 0; missing -= atOnce) {
    const channels = await open(mx, Math.min(missing, atOnce));
    await Promise.all(channels.map(exchange));
    held.push(...channels);
  }
  return `${before} ${heap()}`;
}

async function drive() {
  const mx = await connect();
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, count] = line.split(' ');
    console.log(word === 'hold' ? await hold(mx, Number(count)) : await cycle(mx, Number(count), word === 'exchange'));
  }
  process.exit(0);
}

await { 'session-far': far, 'session-near': near, 'session-drive': drive }[role]();
