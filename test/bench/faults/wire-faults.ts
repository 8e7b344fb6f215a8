// Faults between home and endpoint: a router of the provider's that changes ports, a line that loses packets or is away.
import { setTimeout as delay } from 'node:timers/promises';
import { lab as addresses } from '../../../src/research/lab/bed/topology.ts';
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import { eventually } from '../../net/support.ts';
import type { Fault } from './measure.ts';

const REBINDINGS = 5;
const REBIND_EVERY_MS = 3000;
const LOSSY_MS = 20_000;
const AWAY_MS = 20_000;
/** Of ten packets. */
const LOST = 6;

function provider(lab: ExposureLab, argv: readonly string[], input = ''): Promise<string> {
  return lab.network.netns('provider', argv, input);
}

/** Cover flows all the time, so within so long a packet of the home has come. */
const FORGOTTEN_MS = 100;

/** The endpoint sees the home come from another port, as behind a NAT that has forgotten it. */
async function rebind(lab: ExposureLab, port: number): Promise<void> {
  const rules = `table ip rebind
delete table ip rebind
table ip rebind {
  chain post {
    type nat hook postrouting priority srcnat;
    ip saddr ${addresses.homeAddress} udp dport 1194 snat to 203.0.113.1:${port}
  }
}
`;
  await provider(lab, ['nft', '-f', '-'], rules);
  await eventually('the home behind another port', async () => {
    // An answer that is under way may be what the connection is made of anew, past the rule: then it is forgotten again.
    await provider(lab, ['conntrack', '-F']);
    await delay(FORGOTTEN_MS);
    return (await provider(lab, ['conntrack', '-L', '-p', 'udp'])).includes(`dport=${port}`);
  });
}

const stopRebinding = (lab: ExposureLab) =>
  provider(lab, ['nft', 'delete', 'table', 'ip', 'rebind']);

async function loseFor(lab: ExposureLab, forMs: number): Promise<void> {
  const rules = `table ip lossy {
  chain forward {
    type filter hook forward priority filter;
    udp dport 1194 numgen random mod 10 < ${LOST} drop
    udp sport 1194 numgen random mod 10 < ${LOST} drop
  }
}
`;
  await provider(lab, ['nft', '-f', '-'], rules);
  await delay(forMs);
  await provider(lab, ['nft', 'delete', 'table', 'ip', 'lossy']);
}

/** Nothing passes, as where a line is away behind the next router. */
async function shutFor(lab: ExposureLab, forMs: number): Promise<void> {
  const rules = `table ip shut {
  chain forward {
    type filter hook forward priority filter;
    udp dport 1194 drop
    udp sport 1194 drop
  }
}
`;
  await provider(lab, ['nft', '-f', '-'], rules);
  await delay(forMs);
  await provider(lab, ['nft', 'delete', 'table', 'ip', 'shut']);
}

/** The next router says nothing at all, not even who has its address. */
async function muteFor(lab: ExposureLab, link: 'home' | 'vps', forMs: number): Promise<void> {
  const place = link === 'home' ? 'router' : 'endpoint';
  const netdev = link === 'home' ? 'wan' : 'eth0';
  // What the provider's own router keeps for the other end meanwhile is not ours to bound.
  await provider(lab, ['sysctl', '-q', '-w', `net.ipv4.neigh.${link}.unres_qlen_bytes=4096`]);
  const rules = `table netdev mute {
  chain in { type filter hook ingress device ${link} priority 0; drop; }
  chain out { type filter hook egress device ${link} priority 0; drop; }
}
`;
  await provider(lab, ['nft', '-f', '-'], rules);
  await lab.network.netns(place, ['ip', 'neigh', 'flush', 'dev', netdev]);
  await delay(forMs);
  await provider(lab, ['nft', 'delete', 'table', 'netdev', 'mute']);
}

export const wireFaults: Fault[] = [
  {
    name: 'way: nothing passes for 20 s',
    plant: (lab) => shutFor(lab, AWAY_MS),
    recoverS: 15,
  },
  {
    name: 'way: home’s gateway silent for 20 s',
    plant: (lab) => muteFor(lab, 'home', AWAY_MS),
    recoverS: 15,
  },
  {
    name: 'way: endpoint’s gateway silent for 20 s',
    plant: (lab) => muteFor(lab, 'vps', AWAY_MS),
    recoverS: 15,
  },
  {
    name: 'way: a NAT that rebinds five times',
    plant: async (lab) => {
      for (let time = 0; time < REBINDINGS; time++) {
        await rebind(lab, 40_000 + time);
        await delay(REBIND_EVERY_MS);
      }
    },
    undo: stopRebinding,
    recoverS: 15,
  },
  {
    name: 'way: 60 % of all packets lost for 20 s',
    plant: (lab) => loseFor(lab, LOSSY_MS),
    recoverS: 15,
  },
];
