#!/bin/sh
# Runs every check: types, style, unit tests, then those that need root and network namespaces, one at a time.
# With "unit": the unit tests alone, bundled. Its last line is "N passed, M failed", of all runs together.
set -eu

log=$(mktemp)
trap 'rm -f "$log" "$log.status"' EXIT
passed=0
failed=0

# What ava's summary says of "passed", "failed" and the like.
count() {
	sed -n "s/^ *\([0-9][0-9]*\) \(tests\{0,1\} $1\|$1\)\$/\1/p" "$log" | tail -n 1
}

run_ava() {
	{
		npx --no-install ava "$@" 2>&1 && echo 0 >"$log.status" || echo $? >"$log.status"
	} | tee "$log"
	add_up
}

add_up() {
	ran=$(count passed)
	wrong=$(count failed)
	passed=$((passed + ${ran:-0}))
	# Files that broke off, or a time limit, are no test's failure to ava.
	if [ "$(cat "$log.status")" -ne 0 ] && [ -z "$wrong" ]; then wrong=1; fi
	failed=$((failed + ${wrong:-0}))
}

# Two runs at once, each file by file; the longest file begins one of them. Together they are all files.
run_side_by_side() {
	long="service delivery lab doctor plan profile homes"
	set --
	rest=""
	for file in build/test/net/*.test.js; do
		case " $long " in
		*" $(basename "$file" .test.js) "*) set -- "$@" "$file" ;;
		*) rest="$rest $file" ;;
		esac
	done
	(
		npx --no-install ava --config ava.net.config.mjs "$@" >"$log.beside" 2>&1 && echo 0 || echo $?
	) >"$log.beside.status" &
	beside=$!
	# shellcheck disable=SC2086
	run_ava --config ava.net.config.mjs $rest
	wait "$beside"
	mv "$log.beside" "$log"
	mv "$log.beside.status" "$log.status"
	cat "$log"
	add_up
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}

if [ "${1:-}" = unit ]; then
	node scripts/unit.mjs
	export PROPERTY_SHARE="${PROPERTY_SHARE:-0.05}"
	run_ava --config ava.unit.config.mjs
	finish
fi

rm -rf build
npx --no-install tsc -p tsconfig.json
npx --no-install tsc -p luci-app/tsconfig.json
npx --no-install tsc -p test/luci/tsconfig.json
npx --no-install biome check --error-on-warnings .
node scripts/lint-luci.mjs

echo "Unit tests"
node scripts/unit.mjs
run_ava --config ava.unit.config.mjs

echo "Other tests without root: the program, packages, the page in Chromium"
run_ava --config ava.others.config.mjs

if [ "$(id -u)" -eq 0 ] && ip netns add iotshaper-probe 2>/dev/null; then
	ip netns del iotshaper-probe
	echo "Tests in network namespaces, with real OpenVPN, nftables and tc, in two runs side by side: most of the time they wait"
	run_side_by_side
elif [ "${CI:-}" = true ]; then
	echo "FAILED: the tests in network namespaces need root" >&2
	failed=$((failed + 1))
else
	echo "SKIPPED: the tests in network namespaces need root; run 'sudo make test'" >&2
fi
finish
