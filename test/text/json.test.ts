// Values as JSON of one spelling, and back.
import test from 'ava';
import { readJson, renderJson } from '../../src/core/text/json.ts';

const value = {
  startS: 1,
  rateKBps: 40,
  up: { offPercent: 0.1, wireKBps: 44, controlSizes: { '564': 3 } },
  gbPerMonth: 228.4,
  capGB: null,
  dnsNamesInClear: { 'sense-in.hello.is': 2, '_services._dns-sd._udp.local': 1 },
  steps: [{ p95Ms: 3 }],
};

test('what is written in one spelling is read as it was', (t) => {
  const text = renderJson(value);
  t.like(JSON.parse(text), {
    start_s: 1,
    ...{ rate_kBps: 40, gb_per_month: 228.4, cap_gb: null, steps: [{ p95_ms: 3 }] },
    up: { off_percent: 0.1, wire_kBps: 44, control_sizes: { '564': 3 } },
    dns_names_in_clear: { 'sense-in.hello.is': 2 },
  });
  t.deepEqual(readJson(text), value);
});

test('what an older version wrote is read as well', (t) => {
  t.deepEqual(readJson(JSON.stringify(value)), value);
});
