// Reading the configuration from disk.
import test from 'ava';
import { ConfigError } from '../../src/core/config/config-error.ts';
import { readConfigFile } from '../../src/shell/config/config-file.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

test('a file is read', async (t) => {
  const { config } = await readConfigFile(nodeSystem, 'test/fixtures/uci/set-as-typed.uci');
  t.is(config.main.rate.uploadKBps, 40);
});

test('a file that is not there, or no file, is a ConfigError that names it', async (t) => {
  for (const path of ['test/fixtures/uci/none', 'test/fixtures']) {
    const error = await t.throwsAsync(readConfigFile(nodeSystem, path), {
      instanceOf: ConfigError,
    });
    t.regex(error.message, /^iotshaper: cannot read the configuration file \(E/);
    t.is(error.errors[0]?.value, path);
  }
});
