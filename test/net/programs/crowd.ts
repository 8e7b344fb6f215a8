// Many devices at once, each of which asks something small now and then; how often, and how often they were answered, once a second.
import { createSocket } from 'node:dgram';

const [prefix = '', count = '1', peer = '', everyMs = '2000'] = process.argv.slice(2);
const SMALL = Buffer.alloc(40);
/** Host numbers of one /24 that are used. */
const HOSTS = 250;

let asked = 0;
let answered = 0;
for (let index = 0; index < Number(count); index++) {
  const address = `${prefix}.${Math.floor(index / HOSTS)}.${(index % HOSTS) + 2}`;
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  socket.on('message', () => answered++);
  socket.bind(0, address, () => {
    const ask = (): void => {
      asked++;
      socket.send(SMALL, 7, peer, () => {});
    };
    // Spread over the time, as devices are that know nothing of one another.
    setTimeout(() => setInterval(ask, Number(everyMs)), (index / Number(count)) * Number(everyMs));
  });
}
setInterval(() => process.stdout.write(`${JSON.stringify({ asked, answered })}\n`), 1000);
