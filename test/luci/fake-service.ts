// A service that only says it shapes: for pages alone, where the real daemon would need a kernel.
import { readFileSync } from 'node:fs';
import { parseConfig } from '../../src/core/config/config.ts';
import { ConfigError } from '../../src/core/config/config-error.ts';
import type { Config } from '../../src/core/config/types.ts';
import { costOf } from '../../src/core/cost/cost.ts';
import { renderConfigStatus, renderMessage, renderReason } from '../../src/core/home/answers.ts';
import type {
  AuditReport,
  DeviceStatus,
  HistorySample,
  Mending,
  ProfileCheck,
  Recommendation,
  ServiceApi,
  State,
  Status,
} from '../../src/core/home/api.ts';
import { findMending } from '../../src/core/home/mending.ts';
import { obstacleReason, shapingReason, shapingRemarks } from '../../src/core/home/reasons.ts';
import { type Notice, notice } from '../../src/core/notices/notice.ts';
import { sentencesOf } from '../../src/core/notices/words.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { formatRemote } from '../../src/core/openvpn/remote.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';

/** 2024-06-03 12:00:00 UTC, or whatever a test says is now. */
export const someMonday = 1_717_416_000;

export class FakeService implements ServiceApi {
  readonly #configPath: string;
  #config: Config;
  #findings = renderConfigStatus({ ok: true, errors: [], warnings: [] });
  /** What a test wants it to say besides. */
  override: Partial<Status> = {};
  devices: DeviceStatus[] = [];
  report: AuditReport = { state: 'none' };
  recommendation: Recommendation = {
    ok: false,
    ...renderReason(notice('recommendation-not-made', { why: notice('tool-silent') })),
  };
  now = someMonday;
  /** The profile in use. */
  profile = '';
  reloads = 0;
  /** Programs it ran to mend something, with their words. */
  mended: string[][] = [];

  constructor(configPath: string) {
    this.#configPath = configPath;
    this.#config = parseConfig('').config;
    this.#read();
  }

  get config(): Config {
    return this.#config;
  }

  #read(): void {
    const findings = this.check();
    this.#findings = findings;
    if (findings.ok) this.#config = parseConfig(readFileSync(this.#configPath)).config;
  }

  check(): Status['config'] {
    try {
      const { warnings } = parseConfig(readFileSync(this.#configPath));
      return renderConfigStatus({ ok: true, errors: [], warnings });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return renderConfigStatus({ ok: false, errors: error.errors, warnings: error.warnings });
    }
  }

  async reload(): Promise<void> {
    this.reloads++;
    this.#read();
  }

  status(): Status {
    const { main } = this.#config;
    const { uploadKBps, downloadKBps, source } = main.rate;
    const direction = (rateKBps: number) => {
      const pps = (rateKBps * 1000) / main.packetBytes;
      const deviceKBps = rateKBps / 4;
      return {
        target_pps: pps,
        pps: Number((pps * 0.998).toFixed(1)),
        device_kBps: deviceKBps,
        cover_kBps: rateKBps - deviceKBps,
        queue_packets: 2,
        queue_ms: 14.2,
        dropped: 0,
      };
    };
    const cost = costOf({
      uploadKBps,
      downloadKBps,
      packetBytes: main.packetBytes,
      dataCapGB: main.dataCapGB,
      pricePerGB: main.pricePerGB,
    });
    const state: State = main.enabled ? 'shaping' : 'off';
    const reason = main.enabled ? shapingReason(main.rate) : notice('off');
    const remarks = main.enabled ? shapingRemarks(main.rate, main.dns, []) : [];
    return {
      state,
      ...renderReason(reason),
      reason: sentencesOf([reason, ...remarks]),
      remarks,
      since: this.now - 3600,
      version: '0.1.0',
      role: 'home',
      house: [{ name: 'br-lan', prefixes: ['192.168.1.0/24'] }],
      not_house: [],
      config: this.#findings,
      rate: { upload_kBps: uploadKBps, download_kBps: downloadKBps, source },
      mode: main.mode,
      packet_size: main.packetBytes,
      killswitch: main.killswitch,
      dns: main.dns,
      tunnel: {
        state: main.enabled ? 'up' : 'off',
        remote: 'vps.example.org:1194',
        interface: 'iotvpn0',
        address: '10.73.0.2',
        peer: '10.73.0.1',
        since: this.now - 3600,
      },
      upload: direction(uploadKBps),
      download: direction(downloadKBps),
      endpoint: { state: main.enabled ? 'up' : 'unknown', version: '0.1.0' },
      devices: this.devices,
      cost: {
        gb_per_month: cost.gbPerMonth,
        ...(cost.capPercent === null ? {} : { cap_percent: cost.capPercent }),
        ...(cost.pricePerMonth === null ? {} : { price_per_month: cost.pricePerMonth }),
      },
      ...this.#obstacle(main.killswitch),
      ...this.override,
    };
  }

  /** What the service says where a test has it stand in the way of shaping. */
  #obstacle(killswitch: boolean): Partial<Status> {
    const {
      state,
      fault_code: code = 'endpoint-silent',
      fault_values: values = {},
    } = this.override;
    if (state !== 'blocked' && state !== 'starting') return {};
    const exposure = { everShaped: state === 'blocked', killswitch, networkUnknown: false };
    return renderReason(obstacleReason(exposure, { code, values } as Notice));
  }

  /** Bursts as a camera's and a plug's, under a stream that wavers by what a second's count does. */
  history(): HistorySample[] {
    const { uploadKBps, downloadKBps } = this.#config.main.rate;
    return Array.from({ length: 300 }, (_unused, index) => {
      const burst = index % 90 > 60 && index % 90 < 80 ? 0.7 : 0;
      const chatter = index % 17 === 0 ? 0.15 : 0.02;
      const waver = 1 + 0.004 * Math.sin(index);
      return {
        time: this.now - 299 + index,
        upload_device_kBps: uploadKBps * (burst + chatter),
        download_device_kBps: downloadKBps * (burst / 4 + chatter),
        upload_wire_kBps: uploadKBps * waver,
        download_wire_kBps: downloadKBps * waver,
        queue_ms: 10 + burst * 100,
        upload_pps: (uploadKBps * waver * 1000) / 512,
        download_pps: (downloadKBps * waver * 1000) / 512,
      };
    });
  }

  audit({ seconds }: { seconds: number }): { started: boolean; seconds: number } {
    this.report = { state: 'running', progress_percent: 0, time: this.now, seconds };
    return { started: true, seconds };
  }

  auditResult(): AuditReport {
    return this.report;
  }

  recommend(): Recommendation {
    return this.recommendation;
  }

  validateProfile({ text }: { text: string }): ProfileCheck {
    const verdict = checkProfile(text, pemReader);
    if (!verdict.ok) {
      const errors = verdict.problems.map(({ line, ...said }) => ({
        line,
        ...renderMessage(said),
      }));
      return { ok: false, errors };
    }
    return { ok: true, errors: [], endpoint: formatRemote(verdict.profile.remotes[0]!) };
  }

  storeProfile(request: { text: string }): ProfileCheck {
    const check = this.validateProfile(request);
    if (check.ok) this.profile = request.text;
    return check;
  }

  /** What was told is told no more; where nothing was, that is the reason. */
  mend({ code }: { code: string }): Mending {
    const commands = findMending(this.status(), code);
    if (commands.length === 0) return { ok: false, ...renderReason(notice('nothing-to-mend')) };
    this.mended.push(...commands);
    this.override = {};
    return { ok: true };
  }

  onState(): () => void {
    return () => {};
  }
}
