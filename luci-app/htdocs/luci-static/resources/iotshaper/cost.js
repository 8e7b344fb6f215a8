// What a rate costs, what it delays and which devices it carries.
'use strict';
'require baseclass';

/** OpenVPN over UDP and IPv4 adds 52 bytes to every packet, as the service counts it. */
const OVERHEAD_BYTES = 52;

const api = {
  /**
   * GB a month in both directions, tunnel overhead included; a month has 30 days. The same formula
   * as `iotshaper cost`.
   * @param {number} uploadKBps
   * @param {number} downloadKBps
   * @param {number} packetBytes
   */
  gbPerMonth(uploadKBps, downloadKBps, packetBytes) {
    const tunnelGB = ((uploadKBps + downloadKBps) * 1000 * 30 * 24 * 3600) / 1e9;
    return (tunnelGB * (packetBytes + OVERHEAD_BYTES)) / packetBytes;
  },

  /**
   * The same where a schedule holds for parts of the time, at its rate in each direction.
   * @param {number} uploadKBps
   * @param {number} downloadKBps
   * @param {number} packetBytes
   * @param {{ share: number, rateKBps: number }[]} parts shares of all time
   */
  gbWithSchedule(uploadKBps, downloadKBps, packetBytes, parts) {
    const rest = 1 - parts.reduce((sum, { share }) => sum + share, 0);
    const usual = rest * api.gbPerMonth(uploadKBps, downloadKBps, packetBytes);
    return parts.reduce(
      (sum, { share, rateKBps }) => sum + share * api.gbPerMonth(rateKBps, rateKBps, packetBytes),
      usual,
    );
  },

  /** Time between two packets of the stream. @param {number} rateKBps @param {number} packetBytes */
  slotMs: (rateKBps, packetBytes) => packetBytes / rateKBps,

  /** Rates worth choosing from, KB/s. */
  usefulRates: [
    0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 80, 100, 125, 150, 200, 250, 300,
    400, 500, 750, 1000,
  ],

  /**
   * Rates of upload and download that carried the paper's seven devices (its Figure 9), KB/s.
   * Names of products, not translated.
   */
  paperDevices: [
    { name: 'Orvibo Smart Socket', uploadKBps: 0.25, downloadKBps: 0.25 },
    { name: 'TP-Link Smart Plug', uploadKBps: 0.5, downloadKBps: 0.5 },
    { name: 'Sense Sleep Monitor', uploadKBps: 2.5, downloadKBps: 2.5 },
    { name: 'Belkin WeMo Switch', uploadKBps: 5, downloadKBps: 2.5 },
    { name: 'Amazon Echo', uploadKBps: 10, downloadKBps: 10 },
    { name: 'Nest Security Camera', uploadKBps: 10, downloadKBps: 10 },
    { name: 'Amcrest Security Camera', uploadKBps: 35, downloadKBps: 2.5 },
  ],
};

/** @typedef {typeof api} Cost */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
