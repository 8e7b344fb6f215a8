#!/bin/sh
# Runs the tests on several versions of Node.js, each from npm in a folder below out/: test-nodes.sh "" 20 22, or "unit" for unit tests alone.
set -eu

kind=$1
shift
wrong=0

for major; do
	folder=$PWD/out/nodes/$major
	binary=$folder/node_modules/node/bin
	[ -x "$binary/node" ] ||
		npm install --prefix "$folder" --no-save --no-audit --no-fund --loglevel=error "node@$major" >/dev/null || {
		echo "npm could not install Node.js $major" >&2
		exit 1
	}
	log=$folder/tests.txt
	echo "Node.js $("$binary/node" --version)"
	# shellcheck disable=SC2086 # none, or one word
	if PATH=$binary:$PATH sh scripts/test.sh $kind >"$log" 2>&1; then :; else wrong=1; fi
	grep -E '^ +✘ |^(FAILED|SKIPPED)' "$log" || true
	tail -n 1 "$log"
done
[ "$wrong" -eq 0 ] || echo "What they printed is in out/nodes/VERSION/tests.txt" >&2
exit "$wrong"
