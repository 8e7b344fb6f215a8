#!/bin/sh
# Runs every check: types, style, unit tests, then those that need root and network namespaces, one at a time.
set -eu

rm -rf build
npx tsc -p tsconfig.json
npx tsc -p luci-app/tsconfig.json
npx tsc -p test/luci/tsconfig.json
npx biome check --error-on-warnings .
node scripts/lint-luci.mjs

echo "Unit tests"
npx ava

if [ "$(id -u)" -eq 0 ] && ip netns add iotshaper-probe 2>/dev/null; then
	ip netns del iotshaper-probe
	echo "Tests in network namespaces, with real OpenVPN, nftables and tc"
	npx ava --config ava.net.config.mjs
elif [ "${CI:-}" = true ]; then
	echo "FAILED: the tests in network namespaces need root" >&2
	exit 1
else
	echo "SKIPPED: the tests in network namespaces need root; run 'sudo make test'" >&2
fi
