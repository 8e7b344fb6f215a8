#!/bin/sh
# Everything that is asked of a home on QuickJS; what out/quickjs holds is run by the file named. Run as root.
set -eu
qjs=$1
node scripts/quickjs.mjs out/quickjs/contract test/quickjs/contract-run.ts >/dev/null
cp out/quickjs/machine.so out/quickjs/contract/
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$qjs" out/quickjs/contract/contract-run.mjs "$folder"
IOTSHAPER_HOME="$qjs $PWD/out/quickjs/iotshaper.mjs"
export IOTSHAPER_HOME
for name in service bus profile exposure faults; do
	npx --no-install ava --config ava.net.config.mjs "build/test/net/$name.test.js"
done
node build/test/bench/quickjs.js 60
