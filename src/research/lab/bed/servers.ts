// The lab's Internet: TCP and UDP servers that answer by what a message asks, a DNS server, a replaying sender.
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { decodeQuestion, encodeAnswer } from '../traffic/dns.ts';
import {
  answerMessage,
  decodeMessage,
  encodeMessage,
  MessageStream,
  messageKey,
} from '../traffic/message.ts';
import { openReplayServer } from '../traffic/replay-driver.ts';
import { TrafficRecorder } from '../traffic/traffic-log.ts';
import { readProcessConfig, type ServersConfig } from './process-config.ts';

/** Runs until standard input ends, then writes its log; `lab servers` of the command line. */
export async function runServers(): Promise<void> {
  const recorder = new TrafficRecorder();
  let logPath: string | null = null;
  const config = await readProcessConfig<ServersConfig>(() => {
    if (logPath) recorder.write(logPath);
    process.exit(0);
  });
  logPath = config.logPath;
  for (const { address, tcp, udp } of config.listen) {
    for (const port of tcp) listenTcp(address, port, recorder);
    for (const port of udp) listenUdp(address, port, recorder);
  }
  if (config.dns) answerDns(config.dns);
  if (config.forwarder) forwardDns(config.forwarder);
  if (config.replay) openReplayServer(config.replay, config.startMs, recorder);
}

function listenTcp(address: string, port: number, recorder: TrafficRecorder): void {
  const server = createServer({ noDelay: true }, (socket) => serveConnection(socket, recorder));
  server.on('error', (error) => recorder.fault(`TCP server: ${error.message}`));
  server.listen(port, address);
}

function serveConnection(socket: Socket, recorder: TrafficRecorder): void {
  const stream = new MessageStream();
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    try {
      for (const header of stream.push(chunk)) {
        const common = { device: '', protocol: 'tcp' as const };
        recorder.received({
          ...common,
          key: messageKey(header.id, header.part),
          bytes: header.totalBytes,
        });
        for (const answer of answerMessage(header, 'tcp')) {
          recorder.sent({
            ...common,
            key: messageKey(answer.id, answer.part),
            bytes: answer.totalBytes,
          });
          socket.write(encodeMessage(answer));
        }
      }
    } catch (error) {
      recorder.fault(`TCP server: ${(error as Error).message}`);
      socket.destroy();
    }
  });
}

function listenUdp(address: string, port: number, recorder: TrafficRecorder): void {
  const socket = createSocket('udp4');
  socket.on('error', (error) => recorder.fault(`UDP server: ${error.message}`));
  socket.on('message', (datagram, from) => {
    const header = decodeMessage(datagram);
    if (!header) return;
    const common = { device: '', protocol: 'udp' as const };
    recorder.received({
      ...common,
      key: messageKey(header.id, header.part),
      bytes: datagram.length,
    });
    for (const answer of answerMessage(header, 'udp')) {
      recorder.sent({
        ...common,
        key: messageKey(answer.id, answer.part),
        bytes: answer.totalBytes,
      });
      socket.send(encodeMessage(answer), from.port, from.address);
    }
  });
  socket.bind(port, address);
}

function answerDns({ address, port, answers }: NonNullable<ServersConfig['dns']>): void {
  const socket = createSocket('udp4');
  socket.on('error', (error) => console.error(`DNS server: ${error.message}`));
  socket.on('message', (datagram, from) => {
    try {
      const question = decodeQuestion(datagram);
      const found = answers[question.name];
      const addresses = found === undefined ? null : question.type === 'A' ? [found] : [];
      socket.send(encodeAnswer(question, addresses), from.port, from.address);
    } catch {
      // Not a question: no answer.
    }
  });
  socket.bind(port, address);
}

/** A router's own resolver: asks upstream from the router's WAN address, and so names every device to the provider. */
function forwardDns({ address, upstream }: NonNullable<ServersConfig['forwarder']>): void {
  const inside = createSocket('udp4');
  inside.on('error', (error) => console.error(`DNS forwarder: ${error.message}`));
  inside.on('message', (question, from) => {
    const outside = createSocket('udp4');
    const timer = setTimeout(() => outside.close(), 5_000);
    outside.on('error', () => {});
    outside.on('message', (answer) => {
      clearTimeout(timer);
      outside.close();
      inside.send(answer, from.port, from.address);
    });
    outside.send(question, 53, upstream, () => {});
  });
  inside.bind(53, address);
}
