// How a home goes on to another endpoint: what OpenVPN is told when it pauses, and when it asks one that says nothing.
import test from 'ava';
import { OpenVpn } from '../../src/shell/openvpn/openvpn.ts';
import type { Connection, System } from '../../src/shell/system/system.ts';

interface Heard {
  openvpn: OpenVpn;
  /** Says a line as OpenVPN does. */
  say(line: string): void;
  /** What it was told since the last call, with the pauses before: ms. */
  told(): (string | number)[];
}

/** The service's side of OpenVPN, which is played by the test; timers end at once. */
async function start(): Promise<Heard> {
  const told: (string | number)[] = [];
  let hear: (piece: Uint8Array) => void = () => {};
  const client = {
    write: (text: string) => told.push(text.trim()),
    onData: (listener: typeof hear) => {
      hear = listener;
    },
  } as unknown as Connection;
  let serve: (client: Connection) => void = () => {};
  const system = {
    clock: { monotonicMs: () => 0 },
    files: { write: async () => {}, remove: async () => {} },
    sockets: {
      listen: async (_path: string, onClient: typeof serve) => {
        serve = onClient;
        return { close: async () => {} };
      },
    },
    processes: { run: async () => {}, spawn: () => ({ endInput: () => {} }) },
    timers: {
      after: (ms: number, work: () => void) => {
        // What only tells of a try that takes long is of no interest.
        if (ms < 10_000) {
          told.push(ms);
          work();
        }
        return () => {};
      },
    },
  } as unknown as System;
  const openvpn = new OpenVpn({
    ...{ system, configPath: '/run/openvpn.conf', managementSocket: '/run/openvpn.sock' },
    ...{ onState: () => {}, onExit: () => {} },
  });
  await openvpn.start('client\n');
  serve(client);
  told.splice(0);
  return {
    openvpn,
    say: (line) => hear(new TextEncoder().encode(`${line}\r\n`)),
    told: () => told.splice(0),
  };
}

const HOLD = '>HOLD:Waiting for hold release:1';
const WAIT = '>STATE:1796008064,WAIT,,,,,,';

test('sent on by its endpoint, it goes at once; told to come back, it pauses', async (t) => {
  const { say, told } = await start();
  say('>NOTIFY:info,server-pushed-connection-reset,[N]');
  say('>STATE:1796008064,RECONNECTING,server-pushed-connection-reset,,,,,');
  say(HOLD);
  say(WAIT);
  t.deepEqual(told(), [0, 'hold release']);
  say('>NOTIFY:info,server-pushed-connection-reset,');
  say(HOLD);
  say(WAIT);
  t.deepEqual(told(), [1000, 'hold release']);
});

test('one that says nothing any more is not waited for again before the next', async (t) => {
  const { openvpn, say, told } = await start();
  say(WAIT);
  t.deepEqual(told(), []);
  openvpn.reconnect(true);
  say(HOLD);
  t.deepEqual(told(), ['signal SIGUSR1', 0, 'hold release']);
  say(WAIT);
  say(HOLD);
  t.deepEqual(told(), ['signal SIGUSR1', 0, 'hold release']);
  // Nobody answers: in turn.
  say(WAIT);
  say(HOLD);
  t.deepEqual(told(), [1000, 'hold release']);
  // There is no other one.
  openvpn.reconnect(false);
  say(HOLD);
  say(WAIT);
  t.deepEqual(told(), ['signal SIGUSR1', 0, 'hold release']);
});
