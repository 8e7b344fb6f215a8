// Tables of packets and flows under others' titles, and Zeek's logs.
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { FlowRecord, NameRecord } from '../../src/research/capture/flows/flow-record.ts';
import { openSource } from '../../src/research/capture/source.ts';
import { type ColumnChoice, parseColumns } from '../../src/research/capture/tables/columns.ts';
import { readTime, splitFields } from '../../src/research/capture/tables/fields.ts';
import { packingOf, unpack } from '../../src/research/capture/unpack.ts';
import type { System } from '../../src/shell/system/system.ts';

interface Read {
  kind: string;
  rows: unknown[];
  names: NameRecord[];
  hosts: string[];
}

async function read(text: string, columns: ColumnChoice = {}): Promise<Read> {
  const readPieces = async function* () {
    yield Buffer.from(text);
  };
  const names: NameRecord[] = [];
  const hosts: string[] = [];
  const source = await openSource(
    { files: { readPieces } } as unknown as Pick<System, 'files'>,
    'table',
    {
      notes: { warn: () => {} },
      columns,
      onName: (record) => names.push(record),
      onHost: (who, name) => hosts.push(`${who} ${name}`),
    },
  );
  const rows: unknown[] = [];
  const all =
    source.kind === 'samples' ? source.samples : source.kind === 'flows' ? source.flows : null;
  for await (const row of all ?? []) rows.push(row);
  return { kind: source.kind, rows, names, hosts };
}

test('a table without titles, and one with them in any order', async (t) => {
  const sample = { timeS: 1.5, bytes: 100, direction: 'up' };
  t.deepEqual((await read('1.5,100,1\n')).rows, [sample]);
  t.deepEqual((await read('direction;len;time\nout;100;1.5\n')).rows, [sample]);
});

test('titles are found by themselves or by --columns', async (t) => {
  const text = 'when,what,way\n1.5,100,up\n';
  t.deepEqual((await read(text, parseColumns('time=when,size=what,direction=way')!)).rows, [
    { timeS: 1.5, bytes: 100, direction: 'up' },
  ]);
  t.deepEqual((await read('7,1.5,100,up\n', parseColumns('time=2,size=3,direction=4')!)).rows, [
    { timeS: 1.5, bytes: 100, direction: 'up' },
  ]);
  await t.throwsAsync(read(text), {
    message: /table: line 1: has no column time, size, direction/,
  });
  await t.throwsAsync(read(text, { time: 'ts' }), {
    message: /has no column ts; its columns are when, what, way/,
  });
  for (const bad of ['time', 'when=ts', 'time=']) t.is(parseColumns(bad), null);
});

test("Wireshark's own table, fields of tshark, nfdump's, and an IoT data set's", async (t) => {
  const wireshark = await read(
    '"No.","Time","Source","Destination","Protocol","Length","Info"\n' +
      '"1","0.000000","192.168.1.5","52.1.2.3","TLSv1.2","120","Application Data, \u2026"\n' +
      '"2","0.100000","Espressif_00:11:22","Broadcast","ARP","60","Who has"\n',
  );
  t.is(wireshark.kind, 'flows');
  t.like(wireshark.rows[0], {
    source: '192.168.1.5',
    destination: '52.1.2.3',
    bytes: 120,
    timeS: 0,
  });
  t.is(wireshark.rows.length, 1);
  const tshark = await read(
    'frame.time_epoch\tip.src\tip.dst\tframe.len\tip.proto\tudp.srcport\n1556150400.25\t10.0.0.2\t1.1.1.1\t76\t17\t5353\n',
  );
  t.like(tshark.rows[0], { timeS: 1556150400.25, bytes: 76, protocol: 17, sourcePort: 5353 });
  const nfdump = await read(
    'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt\n2026-11-29 14:24:07,2026-11-29 14:24:40,33.600,10.10.10.20,52.49.65.150,34988,50443,TCP,........,0,0,18,3999\nSummary\nflows,bytes\n1,2\n',
  );
  t.deepEqual(nfdump.rows.length, 1);
  t.like(nfdump.rows[0], {
    timeS: Date.UTC(2026, 10, 29, 14, 24, 7) / 1000,
    durationS: 33.6,
    packets: 18,
  });
  const unsw = await read(
    'Packet ID,TIME,Size,eth.src,eth.dst,IP.src,IP.dst,IP.proto,port.src,port.dst\n1,1474552800.1,156,30:8c:fb:2f:e4:b2,14:cc:20:51:33:ea,192.168.1.106,52.87.241.159,6,46330,443\n',
  );
  t.like(unsw.rows[0], { bytes: 156, sourceMac: '30:8c:fb:2f:e4:b2', destinationPort: 443 });
});

test('times in any usual unit, and dates', (t) => {
  t.is(readTime('1556150400.5'), 1556150400.5);
  t.is(readTime('1556150400500'), 1556150400.5);
  t.is(readTime('1556150400500000'), 1556150400.5);
  t.is(readTime('2019-04-25 00:00:00.5'), 1556150400.5);
  t.is(readTime('2019-04-25T02:00:00+02:00'), 1556150400);
  t.true(Number.isNaN(readTime('yesterday')));
  t.deepEqual(splitFields('a,"b ""c"", d",', ','), ['a', 'b "c", d', '']);
});

const conn = [
  '#separator \\x09',
  '#set_separator\t,',
  '#empty_field\t(empty)',
  '#unset_field\t-',
  '#path\tconn',
  '#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes',
  '#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tcount\tcount\tcount\tcount',
  '1556150400.500000\tC1\t192.168.1.5\t40000\t52.1.2.3\t443\ttcp\tssl\t12.5\t900\t4000\tSF\t10\t1420\t12\t4600',
  '1556150401.000000\tC2\t192.168.1.5\t40001\t52.1.2.4\t443\ttcp\t-\t-\t-\t-\tS0\t1\t60\t0\t0',
  '#close\t2019-04-25-00-00-10',
].join('\n');

test("Zeek's connections are flows both ways", async (t) => {
  const { rows } = await read(conn);
  t.is(rows.length, 2);
  const [first, second] = rows as FlowRecord[];
  t.like(first, { timeS: 1556150400.5, durationS: 12.5, packets: 10, bytes: 1420, protocol: 6 });
  t.deepEqual(first!.reply, { packets: 12, bytes: 4600 });
  t.like(second, { durationS: 0, bytes: 60 });
  const json =
    '{"ts":1556150400.5,"id.orig_h":"192.168.1.5","id.orig_p":40000,"id.resp_h":"52.1.2.3","id.resp_p":443,"proto":"tcp","duration":12.5,"conn_state":"SF","orig_pkts":10,"orig_ip_bytes":1420,"resp_pkts":12,"resp_ip_bytes":4600}\n';
  t.deepEqual((await read(json)).rows, [first]);
  await t.throwsAsync(read('{"ts":1}\n{"ts":\n'), { message: /table: line 2: is no JSON object/ });
});

test("Zeek's dns, ssl and dhcp logs tell names", async (t) => {
  const dns = [
    '#separator \\x09',
    '#set_separator\t,',
    '#fields\tts\tid.orig_h\tid.resp_h\tquery\tanswers',
    '#types\ttime\taddr\taddr\tstring\tvector[string]',
    '1.0\t192.168.1.5\t192.168.1.1\tAPI.example.com\talias.example.net,52.1.2.3,2001:db8::1',
  ].join('\n');
  t.deepEqual((await read(dns)).names, [
    { asker: '192.168.1.5', name: 'api.example.com', addresses: ['52.1.2.3', '2001:db8::1'] },
  ]);
  const ssl =
    '{"ts":1,"id.orig_h":"192.168.1.5","id.resp_h":"52.1.2.3","server_name":"api.example.com"}';
  t.deepEqual((await read(ssl)).names, [
    { asker: '192.168.1.5', name: 'api.example.com', addresses: ['52.1.2.3'] },
  ]);
  const dhcp =
    '{"ts":1,"mac":"50:C7:bf:00:c7:03","assigned_addr":"192.168.1.5","host_name":"HS110"}';
  t.deepEqual((await read(dhcp)).hosts, ['50:c7:bf:00:c7:03 HS110', '192.168.1.5 HS110']);
});

/** "1.5,100,1\n" packed by zstd 1.5 and by xz 5.4. */
const packed = {
  zstd: 'KLUv/QRYUQAAMS41LDEwMCwxCv3GM6Q=',
  xz: '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAJMS41LDEwMCwxCgAAADckI28AyvZuAAEiChUa4WcftvN9AQAAAAAEWVo=',
} as const;

test('files packed with zstd and xz are unpacked, gzip is left to Node.js, bzip2 is refused', async (t) => {
  const refuse = (problem: string) => new Error(problem);
  for (const kind of ['zstd', 'xz'] as const) {
    const bytes = Buffer.from(packed[kind], 'base64');
    t.is(packingOf(bytes), kind);
    const pieces = (async function* () {
      for (const byte of bytes) yield Uint8Array.of(byte);
    })();
    const parts: Uint8Array[] = [];
    for await (const part of unpack(kind, pieces, refuse)) parts.push(part);
    t.is(Buffer.concat(parts).toString(), '1.5,100,1\n');
    const cut = (async function* () {
      yield bytes.subarray(0, bytes.length - 12);
    })();
    await t.throwsAsync(
      async () => {
        for await (const part of unpack(kind, cut, refuse)) parts.push(part);
      },
      { message: new RegExp(`packed with ${kind} and damaged`) },
    );
  }
  t.is(packingOf(gzipSync('x')), null);
  t.is(packingOf(Buffer.from('BZh9')), 'bzip2');
});
