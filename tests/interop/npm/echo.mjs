// A UDP echo server on loopback: node echo.mjs PORT; ends with its process.
import dgram from 'node:dgram';

const socket = dgram.createSocket('udp4');
socket.on('message', (data, from) => socket.send(data, from.port, from.address));
socket.bind(Number(process.argv[2]), '127.0.0.1', () => console.log('echo'));
