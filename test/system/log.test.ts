// The log's lines, as procd and systemd take them.
import test from 'ava';
import { consoleLog, type Level } from '../../src/shell/system/log.ts';
import { CapturedConsole } from '../cli/captured-console.ts';
import { machineBelow } from './machine.ts';

const levels: readonly Level[] = ['err', 'warning', 'notice', 'info'];

function say(environment: Record<string, string>): { out: string; err: string } {
  const console = new CapturedConsole();
  const log = consoleLog(machineBelow('/', { environment }), console);
  for (const level of levels) log(level, `${level}\nx`);
  return { out: console.out, err: console.err };
}

test('the log is one line an event, with its level as its reader knows it', (t) => {
  const all = 'err: err x\nwarning: warning x\nnotice: notice x\ninfo: info x\n';
  t.deepEqual(say({}), { out: '', err: all });
  const numbered = '<3>err x\n<4>warning x\n<5>notice x\n<6>info x\n';
  t.deepEqual(say({ LOG_PREFIX: '1' }), { out: '', err: numbered }, 'systemd');
  const [low, high] = ['notice: notice x\ninfo: info x\n', 'err: err x\nwarning: warning x\n'];
  t.deepEqual(say({ LOG_SPLIT: '1' }), { out: low, err: high }, 'procd');
});

test('however many lines a text has, and however they end, it is one', (t) => {
  const console = new CapturedConsole();
  consoleLog(machineBelow('/'), console)('warning', 'two\nlines\r\n');
  t.is(console.err, 'warning: two lines \n');
});
