// Agents of the npm registry as clients: node agents.mjs socks|https|http PROXY_URL URL; ten requests, two at a time, on kept connections.
// Prints the SHA-256 of each body once it has been the same every time.
import http from 'node:http';
import { createHash } from 'node:crypto';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';

const [kind, proxyUrl, url] = process.argv.slice(2);
const agent = new { socks: SocksProxyAgent, https: HttpsProxyAgent, http: HttpProxyAgent }[kind](proxyUrl, { keepAlive: true, maxSockets: 2 });

const fetchOne = () => new Promise((resolve, reject) => {
  http.get(url, { agent }, (answer) => {
    const hash = createHash('sha256');
    answer.on('data', (part) => hash.update(part)).on('error', reject);
    answer.on('end', () => answer.statusCode === 200 ? resolve(hash.digest('hex')) : reject(new Error(`status ${answer.statusCode}`)));
  }).on('error', reject);
});

const sums = new Set(await Promise.all(Array.from({ length: 10 }, fetchOne)));
agent.destroy();
if (sums.size !== 1) throw new Error('the bodies differ');
console.log([...sums][0]);
