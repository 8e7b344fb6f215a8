// What OpenVPN prints of a tunnel that is not set up, said in words, and never with a part of a key.
import test from 'ava';
import fc from 'fast-check';
import type { NoticeCode } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { explainSilence, TroubleReader, withoutKeys } from '../../src/core/openvpn/troubles.ts';
import { runs } from '../property-runs.ts';

/** As OpenVPN 2.6 prints them. */
const lines: [line: string, code: NoticeCode | null][] = [
  [
    'RESOLVE: Cannot resolve host address: vps.example.org:1194 (Temporary failure in name resolution)',
    'endpoint-name-unresolved',
  ],
  [
    'TCP/UDP: Socket bind failed on local address [AF_INET6][undef]:1194: Address already in use (errno=98)',
    'endpoint-port-taken',
  ],
  ['read UDPv4 [ECONNREFUSED]: Connection refused (fd=3,code=111)', 'endpoint-refuses'],
  [
    'read UDPv4 [EHOSTUNREACH|EHOSTUNREACH]: No route to host (fd=3,code=113)',
    'endpoint-unreachable',
  ],
  ['write UDPv4 []: Network is unreachable (fd=3,code=101)', 'internet-missing'],
  ['write UDPv6 []: Cannot assign requested address (fd=3,code=99)', 'family-missing'],
  [
    'TLS Error: --tls-verify/--peer-fingerprint certificate hash verification failed. (got certificate fingerprint: 93:b5)',
    'fingerprint-other',
  ],
  [
    'VERIFY ERROR: depth=0, error=certificate is not yet valid: CN=x, serial=1',
    'certificate-not-yet',
  ],
  ['VERIFY ERROR: depth=0, error=certificate has expired: CN=x, serial=1', 'certificate-expired'],
  ['VERIFY ERROR: depth=0, error=self-signed certificate: CN=x, serial=5', 'certificate-unproved'],
  ['VERIFY X509NAME ERROR: CN=x, must be y', 'certificate-of-other-name'],
  ['VERIFY EKU ERROR', 'certificate-no-server'],
  [
    'AUTH: Received control message: AUTH_FAILED,Data channel cipher negotiation failed (no shared cipher)',
    'ciphers-not-shared',
  ],
  ['AUTH: Received control message: AUTH_FAILED', 'home-refused'],
  ['AUTH: Received control message: AUTH_FAILED,too many homes', 'home-refused-why'],
  ['OpenSSL: error:0A000102:SSL routines::unsupported protocol:', 'tls-versions-differ'],
  [
    'TLS Error: TLS key negotiation failed to occur within 60 seconds (check your network connectivity)',
    'endpoint-mute',
  ],
  ['Server poll timeout, trying next remote entry...', 'endpoint-mute'],
  ['Cannot load private key file [[INLINE]]', 'openvpn-says'],
  ['OpenSSL: error:0A080009:SSL routines::PEM lib:', 'openvpn-says'],
  [
    'ERROR: Cannot open TUN/TAP dev /dev/net/tun: No such file or directory (errno=2)',
    'openvpn-says',
  ],
  [
    'Note: --cipher is not set. OpenVPN versions before 2.5 defaulted to BF-CBC as fallback when cipher negotiation failed in this case.',
    null,
  ],
  ['VERIFY OK: depth=0, CN=iotshaper endpoint', null],
  ['Initialization Sequence Completed', null],
  ['TLS_ERROR: BIO read tls_read_plaintext error', null],
];

for (const [line, code] of lines) {
  test(`${line.slice(0, 70)}: ${code}`, (t) => {
    t.is(new TroubleReader().hear(`2026-01-01 00:00:00 ${line}`)?.code ?? null, code);
  });
}

test('the plainest line of a try is told, and the next try’s again', (t) => {
  const reader = new TroubleReader();
  const said = [
    'TLS Error: --tls-verify/--peer-fingerprint certificate hash verification failed.',
    'OpenSSL: error:0A000086:SSL routines::certificate verify failed:',
    'SIGUSR1[soft,tls-error] received, process restarting',
    'OpenSSL: error:0A000086:SSL routines::certificate verify failed:',
    'read UDPv4 [ECONNREFUSED]: Connection refused (fd=3,code=111)',
  ].map((line) => reader.hear(line)?.code ?? null);
  t.deepEqual(said, ['fingerprint-other', null, null, 'openvpn-says', 'endpoint-refuses']);
});

test('silence is told by how far a try has come', (t) => {
  const reader = new TroubleReader();
  t.is(reader.linger('WAIT')?.code, 'endpoint-mute');
  reader.hear('UDPv6 link remote: [AF_INET6]2001:db8::1:1194');
  t.deepEqual(reader.remote, { address: '2001:db8::1', port: '1194' });
  t.regex(wordsOf(reader.linger('WAIT')!), /^nothing answers at \[2001:db8::1\]:1194 over UDP; /);
  t.is(reader.linger('AUTH')?.code, 'home-unanswered');
  t.is(reader.linger('CONNECTED'), null);
  reader.hear('read UDPv4 [ECONNREFUSED]: Connection refused (fd=3,code=111)');
  t.is(reader.linger('WAIT'), null);
});

test('who answers otherwise tells what the silence of an endpoint means', (t) => {
  const remote = { address: '203.0.113.10', port: '443' };
  const codeOf = (server: boolean | null, names: boolean | null) =>
    explainSilence(remote, { server, names }).code;
  t.is(codeOf(true, null), 'endpoint-mute-alive');
  t.is(codeOf(true, false), 'endpoint-mute-alive');
  t.is(codeOf(false, true), 'endpoint-mute-online');
  t.is(codeOf(null, true), 'endpoint-mute-online');
  t.is(codeOf(false, false), 'internet-mute');
  t.is(codeOf(false, null), 'endpoint-mute', 'many servers answer no ping');
  t.is(codeOf(null, false), 'endpoint-mute');
  t.regex(
    wordsOf(explainSilence(null, { server: true, names: true })),
    /^nothing answers at the address and port that the profile names over UDP; /,
  );
});

test('no line of a key is said, whatever stands around it', (t) => {
  const base64 = fc.stringMatching(/^[A-Za-z0-9+/]{64}$/);
  const before = fc.constantFrom(
    '',
    'Options error: ',
    'error: ',
    'AUTH_FAILED,',
    'VERIFY ERROR: ',
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(base64, before, fc.string({ maxLength: 20 }), (key, start, end) => {
        const line = `${start}${key} ${end}`;
        const said = new TroubleReader().hear(line);
        return ![withoutKeys(line), said ? wordsOf(said) : ''].some((text) => text.includes(key));
      }),
      { numRuns: runs(1000) },
    ),
  );
});
