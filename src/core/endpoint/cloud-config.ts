// What a person pastes when ordering a server, for cloud-init to make it an endpoint at its first start.

export interface CloudConfigInput {
  /** Where the server gets iot-shaper-endpoint, beside which iot-shaper-common is: an https address, or a path of its own. */
  from: string;
  /** By which homes reach it; null for the address by which it reaches the Internet. */
  host: string | null;
  port: number;
  home: string;
}

const NAME = /\biot-shaper-endpoint(?=_[\w.+~-]+_all\.deb)/;

/** Why no server gets the packages from there; null where it may. */
export function findSourceFault(from: string): string | null {
  if (!/^(https:\/\/[^\s'"\\]+|\/[\w./+~-]+\.deb)$/.test(from)) {
    return 'must be an address that begins with https://, or the path of a .deb on the server';
  }
  if (!NAME.test(from)) {
    return 'must name the file iot-shaper-endpoint_VERSION_all.deb, beside which iot-shaper-common_VERSION_all.deb is';
  }
  return null;
}

/** One command a line, each for sh; they run as root, in their order. */
export function cloudCommands({ from, host, port, home }: CloudConfigInput): string[] {
  const isAddress = from.startsWith('https:');
  const packages = ['iot-shaper-common', 'iot-shaper-endpoint'].map((name) => {
    const source = from.replace(NAME, name);
    return { source, file: isAddress ? `/root/${name}.deb` : source };
  });
  const own = `$(ip -4 -oneline route get 1.1.1.1 | sed -n 's/.* src \\([0-9.]*\\).*/\\1/p')`;
  return [
    ...(isAddress
      ? packages.map(
          ({ source, file }) => `wget --no-verbose --output-document ${file} '${source}'`,
        )
      : []),
    // What Debian's npm recommends is a compiler and 270 packages more.
    `apt-get install --yes --no-install-recommends ${packages.map(({ file }) => file).join(' ')}`,
    // Where the archive's own Node.js is too old.
    'iotshaper --version || npm install --global node@20',
    `iotshaper endpoint init --host ${host ?? `"${own}"`} --port ${port}`,
    `if command -v ufw; then ${ufwCommands(port).join('; ')}; fi`,
    `if command -v firewall-cmd; then firewall-cmd --permanent --add-port=${port}/udp; firewall-cmd --permanent --zone=trusted --add-interface=iotvpn0 --add-interface=iot0; firewall-cmd --reload; fi`,
    `iotshaper endpoint add-home ${home} --out /root/${home}.ovpn`,
    'systemctl enable --now iotshaper-endpoint.path iotshaper-endpoint.service',
    'iotshaper endpoint doctor || true',
  ];
}

/** What homes say is taken, at the port and inside the tunnel, and passed on. */
function ufwCommands(port: number): string[] {
  const inside = ['iotvpn0', 'iot0'].map((netdev) => `ufw allow in on ${netdev}`);
  const onward = ['in', 'out'].map((way) => `ufw route allow ${way} on iot0`);
  return [`ufw allow ${port}/udp`, ...inside, ...onward];
}

export function renderCloudConfig(input: CloudConfigInput): string {
  const { home, port, host } = input;
  const server = host ?? 'SERVER';
  return [
    '#cloud-config',
    '# Makes a server with Debian 12 or newer an iot-shaper endpoint. Paste it as "user data" (cloud-init) when ordering one,',
    `# and open UDP port ${port} in the provider's firewall where it has one.`,
    '#',
    '# Some minutes later fetch the profile, a secret, and upload it on the router under Services, IoT Privacy, Tunnel:',
    `#   (umask 077; ssh root@${server} cat /root/${home}.ovpn >${home}.ovpn)`,
    '# or, where the provider gives you another user:',
    `#   (umask 077; ssh USER@${server} sudo cat /root/${home}.ovpn >${home}.ovpn)`,
    '# Where it is not there, /var/log/cloud-init-output.log on the server says why.',
    'package_update: true',
    'packages:',
    '  - wget',
    'runcmd:',
    // A string of JSON is one of YAML.
    ...cloudCommands(input).map((command) => `  - ${JSON.stringify(command)}`),
    '',
  ].join('\n');
}
