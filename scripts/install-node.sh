#!/bin/sh
# Makes sure of Node.js 20.19 or newer and npm before anything else is done: installs what is missing, or says what to type.
set -eu

# Node.js for this folder alone, where the machine's own is too old; make looks there first.
PATH=$PWD/.node/node_modules/node/bin:$PATH

is_new_enough() {
	node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

has_npm() {
	command -v npm >/dev/null
}

describe() {
	if command -v node >/dev/null; then echo "Node.js $(node --version)"; else echo "no Node.js"; fi
	has_npm || echo "and no npm"
}

stop() {
	echo "$@" >&2
	exit 1
}

if is_new_enough && has_npm; then exit 0; fi

lack="Node.js 20.19 or newer and npm are needed; this machine has $(describe | tr '\n' ' ' | sed 's/ $//')."
if ! has_npm || ! command -v node >/dev/null; then
	command -v apt-get >/dev/null || stop "$lack Install them, e.g. from https://nodejs.org, and run make again."
	[ "$(id -u)" -eq 0 ] || stop "$lack Type: sudo apt-get install npm; then run make again, which sees to the rest."
	echo "$lack Debian's npm brings Debian's Node.js."
	sh scripts/install-packages.sh npm
	hash -r
	if is_new_enough; then exit 0; fi
	lack="That is $(describe)."
fi

echo "$lack Installing Node.js 20 from npm into .node, for this folder alone"
npm install --prefix .node --no-save --no-audit --no-fund --loglevel=error node@20 >/dev/null ||
	stop "npm could not install it; install Node.js 20.19 or newer yourself, and run make again."
hash -r
is_new_enough || stop "npm did not bring it; install Node.js 20.19 or newer yourself, and run make again."
