// What a tunnel without shaping is given at the endpoint: as many packets a second to each home as its slots would be.
// node generator.js PAYLOAD-BYTES PER-SECOND PORT ADDRESS…
import { connectedSocket, SteadySender } from './steady.ts';

const [payloadBytes = '', perSecond = '', port = '', ...addresses] = process.argv.slice(2);
const sender = new SteadySender(Number(payloadBytes), Number(perSecond));
for (const address of addresses) {
  sender.add(await connectedSocket({}, { address, port: Number(port) }));
}
