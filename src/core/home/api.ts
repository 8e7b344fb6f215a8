// What the service answers, as it stands on the bus: the contract of the ubus object `iotshaper`.
import type { Notice, NoticeCode, NoticeValues } from '../notices/notice.ts';
import type { Mode } from '../pacing/modes.ts';

/**
 * Names are snake_case as `ubus call iotshaper …` prints them; fields may be added, never renamed.
 * An optional field is left out when there is nothing to say (blobmsg has no null).
 * Beside each text in English stands what it was made of, for whoever tells it in another language: the code of a template
 * of `src/core/notices/words`, and the values of its places, of which one may be such a pair of `code` and `values` itself.
 * 1 KB = 1000 bytes, `since` and `time` are unix seconds, rates are means over the last second unless said otherwise.
 */

/** `blocked`: nothing of a device leaves, on purpose; `error`: this configuration or system cannot shape. */
export type State = 'off' | 'starting' | 'shaping' | 'blocked' | 'error';

/** A sentence a person understands, in the present tense. */
export interface Reason {
  reason: string;
  reason_code: NoticeCode;
  reason_values: NoticeValues;
}

export interface Status extends Reason {
  state: State;
  /** Sentences that stand in `reason` behind the one that `reason_code` names. */
  remarks: Notice[];
  /** While starting or blocked: what stands in the way, a clause such as `the endpoint no longer answers`. */
  fault?: string;
  fault_code?: NoticeCode;
  fault_values?: NoticeValues;
  /** While shaping: why devices get no answers all the same, a clause; left out where they do. */
  trouble?: string;
  trouble_code?: NoticeCode;
  trouble_values?: NoticeValues;
  /** When `state` became what it is. */
  since: number;
  version: string;
  role: 'home' | 'endpoint';
  config: ConfigStatus;
  rate: RateStatus;
  mode: Mode;
  /** Bytes of every IP packet on the tunnel. */
  packet_size: number;
  /** Whether devices are cut off while not shaped. */
  killswitch: boolean;
  /** Whether names the devices look up go through the tunnel. */
  dns: boolean;
  tunnel: TunnelStatus;
  upload: DirectionStatus;
  download: DirectionStatus;
  endpoint: EndpointStatus;
  devices: DeviceStatus[];
  /** Where devices may talk without the tunnel. */
  house: HouseStatus[];
  /** Network devices that are not taken for the house though they might be. */
  not_house: NotHouseStatus[];
  cost: CostStatus;
}

/** The configuration in UCI; with errors, the last good one stays in force. */
export interface ConfigStatus {
  ok: boolean;
  errors: ConfigFinding[];
  warnings: string[];
  /** The same, one for one. */
  warning_notices: Notice[];
  /** What was understood instead of what stands there; nothing has to be done about it. */
  notes?: string[];
  note_notices?: Notice[];
}

export interface ConfigFinding {
  /** `iotshaper.main.rate`, `iotshaper.@device[0].mac`; empty when the file itself cannot be read. */
  path: string;
  /** What stands there. */
  value: string;
  /** Whole sentence: names the option, what is allowed and what was found. */
  message: string;
  code: NoticeCode;
  values: NoticeValues;
}

export interface RateStatus {
  upload_kBps: number;
  download_kBps: number;
  /** What set the rate in force: `main.rate`, `section rate` or `schedule NAME`. */
  source: string;
}

export interface TunnelStatus {
  /** `down` before the first connect; else OpenVPN's own state, lower case, `up` once packets may pass. */
  state: 'off' | 'down' | 'connecting' | 'up' | 'reconnecting';
  /** Host and port of the endpoint: `vps.example.org:1194`. */
  remote: string;
  /** Netdev of the tunnel. */
  interface: string;
  /** Own address in the tunnel. */
  address?: string;
  /** The endpoint's address in the tunnel. */
  peer?: string;
  since?: number;
}

/** One direction as seen at the tunnel interface. */
export interface DirectionStatus {
  /** Slots a second asked for. */
  target_pps: number;
  /** Slots a second that left (upload) or arrived (download). */
  pps: number;
  device_kBps: number;
  cover_kBps: number;
  queue_packets: number;
  /** Age of the oldest packet waiting. */
  queue_ms: number;
  /** Device packets dropped since the service started. */
  dropped: number;
}

export interface EndpointStatus {
  state: 'unknown' | 'up' | 'silent';
  version: string;
}

export interface DeviceStatus {
  name: string;
  /** Lower case with colons; empty when the device is named by address. */
  mac: string;
  /** Addresses seen or configured. */
  ip: string[];
  policy: 'shape' | 'block' | 'bypass';
  /** Sent something within the last two minutes. */
  online: boolean;
  /** Both directions together. */
  kBps: number;
  tx_bytes: number;
  rx_bytes: number;
  dropped?: number;
}

export interface HouseStatus {
  /** Netdev. */
  name: string;
  prefixes: string[];
}

export interface NotHouseStatus {
  /** Netdev. */
  name: string;
  /** Whole sentence without its full stop: why, and what to do where that is wrong. */
  why: string;
  why_code: NoticeCode;
  why_values: NoticeValues;
}

export interface CostStatus {
  /** Both directions, tunnel overhead included. */
  gb_per_month: number;
  cap_percent?: number;
  price_per_month?: number;
}

/** One second of the last 300; what devices did beside what the provider saw. Kept in memory only. */
export interface HistorySample {
  time: number;
  upload_device_kBps: number;
  download_device_kBps: number;
  upload_wire_kBps: number;
  download_wire_kBps: number;
  queue_ms: number;
  upload_pps: number;
  download_pps: number;
}

/** What is wrong with the configuration as it stands in UCI, in force or not. */
export type CheckResult = ConfigStatus;

/** With a reason when it was not started. */
export interface AuditStart extends Partial<Reason> {
  started: boolean;
  seconds: number;
}

/** With a reason when it was not mended. */
export interface Mending extends Partial<Reason> {
  ok: boolean;
}

export interface AuditReport {
  state: 'none' | 'running' | 'done' | 'failed';
  /** 0…100 while running. */
  progress_percent?: number;
  /** When it began. */
  time?: number;
  seconds?: number;
  verdict?: 'clean' | 'leak' | 'too short';
  /** The verdict in words, with its n and its limits; the reason when it failed. */
  sentence?: string;
  /** Its sentences, one after the other. */
  sentence_notices?: Notice[];
  figures?: AuditFigure[];
}

export interface AuditFigure {
  /** `AUC, windows of 1 s`, `mutual information`, … */
  name: string;
  name_code: NoticeCode;
  name_values: NoticeValues;
  value: number;
  /** Ends of the 95 % interval, where there is one. */
  low?: number;
  high?: number;
  /** `bits`, `ms`; left out for a pure number. */
  unit?: string;
  leak: boolean;
}

/** With a reason why there is none, or what the figures rest on. */
export interface Recommendation extends Reason {
  ok: boolean;
  upload_kBps?: number;
  download_kBps?: number;
  packet_size?: number;
  mode?: Mode;
  /** Expected added one-way delay of a device's packet at that rate. */
  mean_ms?: number;
  max_ms?: number;
  gb_per_month?: number;
}

export interface ProfileCheck {
  ok: boolean;
  errors: ProfileError[];
  /** `host:port` the profile connects to. */
  endpoint?: string;
  /** Stored to be tried first: the profile in use works, and stays in use until this one connects. */
  tried?: boolean;
}

export interface ProfileError {
  /** From 1; 0 when the fault is in no one line. */
  line: number;
  message: string;
  code: NoticeCode;
  values: NoticeValues;
}

/** What the daemon offers to the bus. A method may throw; the caller then gets `Unknown error` and the log the reason. */
export interface ServiceApi {
  status(): Status;
  history(): HistorySample[];
  check(): CheckResult | Promise<CheckResult>;
  reload(): Promise<void>;
  audit(request: { seconds: number }): AuditStart | Promise<AuditStart>;
  auditResult(): AuditReport;
  recommend(): Recommendation | Promise<Recommendation>;
  validateProfile(request: { text: string }): ProfileCheck | Promise<ProfileCheck>;
  /** Validates, then stores only what is valid. */
  storeProfile(request: { text: string }): ProfileCheck | Promise<ProfileCheck>;
  /** Mends what the status tells under this code, where the service can. */
  mend(request: { code: string }): Mending | Promise<Mending>;
  /** Calls the listener on every change of state; returns what ends that. */
  onState(listener: (status: Status) => void): () => void;
}
