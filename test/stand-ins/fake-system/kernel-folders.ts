// Folders in which the kernel shows netdevs and takes settings.
import type { KernelFolder } from './files-model.ts';
import type { IpModel } from './ip-model.ts';

/** /proc/sys, as far as anybody reads or writes it; `*` stands for each netdev. */
export const SETTINGS: Record<string, string> = {
  'net/ipv4/ip_forward': '0',
  'net/ipv6/conf/all/forwarding': '0',
  'net/ipv4/conf/all/rp_filter': '0',
  'net/ipv4/conf/*/rp_filter': '0',
  'net/ipv4/conf/all/src_valid_mark': '0',
  'net/ipv4/conf/*/src_valid_mark': '0',
  'net/ipv6/conf/*/accept_ra': '1',
  'net/ipv6/conf/*/disable_ipv6': '0',
};

/** /sys/class/net */
export function networkFolder(ip: IpModel): KernelFolder {
  const read = (path: string): string | null => {
    const [name = '', ...rest] = path.split('/');
    const netdev = ip.netdevs.get(name);
    if (!netdev) return null;
    switch (rest.join('/')) {
      case 'ifindex':
        return `${netdev.index}\n`;
      case 'address':
        return `${netdev.mac ?? ''}\n`;
      case 'mtu':
        return `${netdev.mtu}\n`;
      case 'tx_queue_len':
        return `${netdev.queuePackets}\n`;
      case 'flags':
        return netdev.isUp ? '0x1091\n' : '0x1090\n';
      case 'statistics/tx_packets':
        return `${netdev.sent()}\n`;
      case 'statistics/tx_bytes':
        return `${netdev.sentBytes()}\n`;
      case 'statistics/rx_packets':
        return `${netdev.received()}\n`;
      default:
        return null;
    }
  };
  return {
    read,
    list: (path) => {
      if (path === '') return [...ip.netdevs.keys()];
      if (!ip.netdevs.has(path)) return null;
      return ['address', 'ifindex', 'statistics'];
    },
  };
}
