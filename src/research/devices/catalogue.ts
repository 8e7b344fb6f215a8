// The seven smart-home devices of the paper: who makes them, their addresses and the names they look up.

/** One kind of smart-home device, as a network observer can know it. */
export interface CatalogueDevice {
  /** Stable key: events, labels and command lines use it. */
  id: DeviceId;
  /** What its owner calls it. */
  name: string;
  /** Who is registered for its network chip or sold it. */
  maker: string;
  /** First three bytes of its MAC address, lower case with colons. */
  macPrefix: string;
  /** Names it looks up, most telling first; every one is a full host name. */
  dnsNames: readonly string[];
  /** Domains that mark this device in whatever host below them: what `dnsNames` generalises to. */
  dnsSuffixes: readonly string[];
}

export type DeviceId =
  | 'sense'
  | 'nest-cam'
  | 'amcrest'
  | 'wemo-switch'
  | 'tp-link-plug'
  | 'orvibo-socket'
  | 'echo';

/** A device of a house that has several of a kind. */
export type HouseDevice = DeviceId | `${DeviceId}-${number}`;

/**
 * The devices of Apthorpe et al., "Spying on the Smart Home" (2017). Names of Sense, Nest, WeMo and Echo are those of
 * its Figure 2 unless a comment says otherwise; the paper lists none for the other three.
 */
export const deviceCatalogue: readonly CatalogueDevice[] = [
  {
    id: 'sense',
    name: 'Sense sleep monitor',
    maker: 'Hello (Texas Instruments Wi-Fi chip)',
    macPrefix: 'f4:b8:5e',
    dnsNames: [
      'sense-in.hello.is',
      'messeji.hello.is',
      'time.hello.is',
      'ntp.hello.is',
      'hello-audio.s3.amazonaws.com',
      'hello-firmware.s3.amazonaws.com',
    ],
    dnsSuffixes: ['hello.is', 'hello-audio.s3.amazonaws.com', 'hello-firmware.s3.amazonaws.com'],
  },
  {
    id: 'nest-cam',
    name: 'Nest security camera',
    maker: 'Nest Labs',
    macPrefix: '18:b4:30',
    // The numbered oculus host is the stream server a camera was given: it differs from camera to camera.
    dnsNames: ['nexus.dropcam.com', 'oculus519-vir.dropcam.com', 'pool.ntp.org'],
    dnsSuffixes: ['dropcam.com', 'camera.home.nest.com'],
  },
  {
    id: 'amcrest',
    name: 'Amcrest security camera',
    maker: 'Amcrest Technologies',
    macPrefix: '9c:8e:cd',
    // As seen in the CIC IoT data set of the University of New Brunswick (2022).
    dnsNames: [
      'config.amcrestcloud.com',
      'dh.amcrestsecurity.com',
      'p2p.amcrestview.com',
      'time.nist.gov',
    ],
    dnsSuffixes: ['amcrestcloud.com', 'amcrestsecurity.com', 'amcrestview.com', 'amcrest.com'],
  },
  {
    id: 'wemo-switch',
    name: 'WeMo switch',
    maker: 'Belkin International',
    macPrefix: '94:10:3e',
    // The last two as seen in captures of the IoT Sentinel data set (Aalto, ICDCS 2017).
    dnsNames: [
      'prod1-fs-xbcs-net-1101221371.us-east-1.elb.amazonaws.com',
      'prod1-api-xbcs-net-889336557.us-east-1.elb.amazonaws.com',
      'api.xbcs.net',
      'nat.xbcs.net',
    ],
    dnsSuffixes: [
      'xbcs.net',
      'prod1-fs-xbcs-net-1101221371.us-east-1.elb.amazonaws.com',
      'prod1-api-xbcs-net-889336557.us-east-1.elb.amazonaws.com',
    ],
  },
  {
    id: 'tp-link-plug',
    name: 'TP-Link smart plug',
    maker: 'TP-Link Technologies',
    macPrefix: '50:c7:bf',
    // As seen in captures of HS100 and HS110 plugs in the IoT Sentinel data set (Aalto, ICDCS 2017).
    dnsNames: ['devs.tplinkcloud.com', 'ca.pool.ntp.org', 'time-a.nist.gov', 'time-b.nist.gov'],
    dnsSuffixes: ['tplinkcloud.com', 'tplinkra.com'],
  },
  {
    id: 'orvibo-socket',
    name: 'Orvibo smart socket',
    maker: 'Orvibo (Hi-Flying Wi-Fi chip)',
    macPrefix: 'ac:cf:23',
    // Compiled into the socket's own settings, UDP port 10000.
    dnsNames: ['vicenter.orvibo.com'],
    dnsSuffixes: ['orvibo.com'],
  },
  {
    id: 'echo',
    name: 'Amazon Echo',
    maker: 'Amazon Technologies',
    macPrefix: '44:65:0d',
    // The last three as devices of the same maker look them up elsewhere in the literature.
    dnsNames: [
      'pindorama.amazon.com',
      'device-metrics-us.amazon.com',
      'softwareupdates.amazon.com',
      'ntp.amazon.com',
      'ash2-accesspoint-a92.ap.spotify.com',
      'audio-ec.spotify.com',
      'dcape-na.amazon.com',
      'det-ta-g7g.amazon.com',
      'ntp-g7g.amazon.com',
    ],
    dnsSuffixes: [
      'pindorama.amazon.com',
      'softwareupdates.amazon.com',
      'device-metrics-us.amazon.com',
      'device-metrics-us-2.amazon.com',
      'dcape-na.amazon.com',
      'ntp-g7g.amazon.com',
      'det-ta-g7g.amazon.com',
      'avs-alexa-na.amazon.com',
      'avs-alexa-4-na.amazon.com',
    ],
  },
];
