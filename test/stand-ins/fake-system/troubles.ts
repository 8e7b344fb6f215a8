// What may happen to a home's machine, and what ends it.
import { CLOCK_NETDEV, TUNNEL_NETDEV } from '../../../src/core/plan/names.ts';
import type { Plants } from './plants.ts';

/** What happens to a machine, and what ends it. */
export interface Trouble {
  begin: (plants: Plants) => void;
  end?: (plants: Plants) => void;
}

export const troubles: Readonly<Record<string, Trouble>> = {
  deleteQueue: { begin: (plants) => plants.deleteQueue() },
  changeQueue: { begin: (plants) => plants.changeQueue() },
  dropLeaves: { begin: (plants) => plants.dropLeaves() },
  addClass: { begin: (plants) => plants.addClass() },
  deleteClock: { begin: (plants) => plants.deleteClock() },
  changeClock: { begin: (plants) => plants.changeClock() },
  flushClockChains: { begin: (plants) => plants.flushClockChains() },
  takeClockDown: { begin: (plants) => plants.takeDown(CLOCK_NETDEV) },
  flushRuleset: { begin: (plants) => plants.flushRuleset() },
  editChain: { begin: (plants) => plants.editChain() },
  removeRoutes: { begin: (plants) => plants.removeRoutes('7213') },
  takePackerDown: { begin: (plants) => plants.takeDown('iot0') },
  takeTunnelDown: { begin: (plants) => plants.takeDown(TUNNEL_NETDEV) },
  deleteTunnel: { begin: (plants) => plants.deleteTunnel() },
  loseTunnelAddress: { begin: (plants) => plants.loseAddresses(TUNNEL_NETDEV) },
  loseTunnelRoute: { begin: (plants) => plants.loseTunnelRoute() },
  changeSettings: { begin: (plants) => plants.changeSettings() },
  countAstray: { begin: (plants) => plants.countAstray() },
  openvpnDies: { begin: (plants) => plants.openvpnDies() },
  openvpnIgnoresTerm: { begin: (plants) => plants.openvpnIgnoresTerm() },
  endpointRestarts: { begin: (plants) => plants.endpointRestarts() },
  coverStops: { begin: (plants) => plants.coverStops() },
  threadThrows: { begin: (plants) => plants.threadThrows() },
  socatDies: { begin: (plants) => plants.socatDies() },
  routeSocketDies: { begin: (plants) => plants.routeSocketDies() },
  monitorsDie: { begin: (plants) => plants.monitorsDie() },
  houseChanges: { begin: (plants) => plants.houseChanges() },
  neighbourComes: { begin: (plants) => plants.neighbourComes() },
  clockJumps: { begin: (plants) => plants.clockJumps(86_400_000) },
  foreignRule: {
    begin: (plants) => plants.addForeignRule(),
    end: (plants) => plants.removeForeignRule(),
  },
  tunnelDown: { begin: (plants) => plants.tunnelDown(), end: (plants) => plants.tunnelUp() },
  tunnelSilent: { begin: (plants) => plants.tunnelDown(false), end: (plants) => plants.tunnelUp() },
  endpointSilent: {
    begin: (plants) => plants.endpointSilent(),
    end: (plants) => plants.endpointAnswers(),
  },
  downloadStops: {
    begin: (plants) => plants.downloadStops(),
    end: (plants) => plants.downloadRuns(),
  },
  networkGone: {
    begin: (plants) => plants.networkGone(),
    end: (plants) => plants.networkBack(),
  },
};
