# Builds, shows and tests iot-shaper. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# What the datapath and the lab run; make installs what is missing.
LAB_PACKAGES := conntrack openvpn openssl nftables iproute2 iputils-ping socat ethtool tcpdump dnsmasq-base procps util-linux
TEST_PACKAGES := $(LAB_PACKAGES) netbase chromium shellcheck systemd make dash postgresql prometheus

# Node.js that install-node.sh took from npm, where the machine's own is too old.
export PATH := $(CURDIR)/.node/node_modules/node/bin:$(PATH)

# Length and number of runs that evaluate-wire and evaluate-audit ask for.
SECONDS ?= 300
RUNS ?= 1

# What evaluate-report tells of.
CAPTURES ?= $(wildcard test/fixtures/identify/*.csv)
PAPER_DEVICES := echo wemo-switch orvibo-socket tp-link-plug nest-cam amcrest sense
LAB_RUNS = $(patsubst %/summary.json,%,$(wildcard out/*/*/summary.json out/*/summary.json))
comma := ,
space := $(subst ,, )

# What npm writes last, once all packages are in place: an install that was broken off is begun anew.
MODULES := node_modules/.package-lock.json

# LuCI's pages, which the page of Debian is made of, with what it has in LuCI's place.
SOURCES := $(shell find src scripts $(wildcard luci-app page-app) -type f) package.json package-lock.json

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: demo
demo: lab-packages dist/iotshaper.js ## the main job in a lab: what a provider sees before and after (root)
	@node dist/iotshaper.js lab demo --out out/demo

.PHONY: test
test: test-packages $(MODULES) dist/iotshaper.js ## everything that proves it works (namespace tests as root)
	@sh scripts/test.sh

.PHONY: unit
unit: $(MODULES) ## the tests that need nothing but Node.js, in seconds
	@sh scripts/test.sh unit

# Versions of Node.js that test-nodes takes from npm, and what it runs: all, or "unit".
NODES ?= 20 22 24
RUN ?=

.PHONY: test-nodes
test-nodes: test-packages $(MODULES) dist/iotshaper.js ## all of it on each Node.js there is (root, half an hour; NODES='20 22 24' RUN=unit)
	@sh scripts/test-nodes.sh "$(RUN)" $(NODES)

.PHONY: coverage
coverage: $(MODULES) ## which share of each folder's lines the unit tests run (two minutes)
	@rm -rf build && npx --no-install tsc -p tsconfig.json --sourceMap && mkdir -p out
	@npx --no-install c8 --all --include 'src/**' --exclude-after-remap --reporter=text --reports-dir=out/coverage \
	  npx --no-install ava --config ava.coverage.config.mjs >out/coverage.txt; status=$$?; \
	  grep -E '^(-|File|All| [^ ]+ +\|)' out/coverage.txt; exit $$status

.PHONY: properties
properties: $(MODULES) ## the unit tests with a hundred times as many cases of each property (an hour)
	@PROPERTY_SHARE=100 sh scripts/test.sh unit

.PHONY: evaluate
evaluate: ROWS = ^(idle-40|modes|changes)$$
evaluate: evaluate-wire evaluate-audit evaluate-report ## measure what a provider sees, and whether an audit would (root, 40 minutes)

.PHONY: evaluate-wire
evaluate-wire: lab-packages dist/iotshaper.js compiled ## the provider's line beside its nulls, 16 conditions (root, two hours; SECONDS=300 of each, ROWS='^busy-')
	@node build/test/bench/wire.js $(SECONDS) '$(ROWS)'

.PHONY: evaluate-audit
evaluate-audit: lab-packages dist/iotshaper.js compiled ## planted leaks and clean streams, audited (root, 15 minutes; RUNS=N)
	@node build/test/bench/audit-power.js 3 60,120,300
	@node build/test/bench/planted-leaks.js $(RUNS)

# Recordings of each kind that evaluate-nulls asks for.
NULLS ?= 200

.PHONY: evaluate-nulls
evaluate-nulls: compiled ## wires that depend on nothing: AUCs whose intervals hold 0.50, and false alarms (three hours; NULLS=N)
	@node build/test/bench/auc-nulls.js $(NULLS)
	@node build/test/bench/audit-nulls.js $(NULLS) 300,1200 "" ""

# Placebos of 30 s that evaluate-placebos cuts from two recordings.
PLACEBOS ?= 204

.PHONY: evaluate-placebos
evaluate-placebos: lab-packages dist/iotshaper.js compiled ## the lab's own null: what its observer and the demo's attack find where devices stay in the LAN (root, an hour; PLACEBOS=N)
	@for n in 1 2; do node dist/iotshaper.js lab run --variant placebo --seed 17$$n --id placebo$$n \
	  --seconds $$(($(PLACEBOS) * 15)) --out out/placebo-$$n >/dev/null & done; wait
	@node build/test/bench/placebo-nulls.js 30 out/placebo-1 out/placebo-2

.PHONY: evaluate-report
evaluate-report: dist/iotshaper.js ## the paper's tables and figures beside ours, out/report.html (CAPTURES=FILES; lab runs in out/ are audited)
	@mkdir -p out/plans
	@for d in $(PAPER_DEVICES); do \
	  node dist/iotshaper.js lab plan --device $$d --seconds 3600 --out out/plans/$$d.csv >/dev/null || exit 1; done
	@node dist/iotshaper.js report $(CAPTURES) --out out/report.html \
	  --figure9 $(subst $(space),$(comma),$(foreach d,$(PAPER_DEVICES),$(d)=out/plans/$(d).csv)) \
	  $(if $(LAB_RUNS),--run $(subst $(space),$(comma),$(LAB_RUNS)))

.PHONY: evaluate-running
evaluate-running: compiled ## an audit without end: false alarms of 500 simulated days, planted leaks (15 minutes)
	@node build/test/bench/running-audit.js 100

.PHONY: evaluate-observer
evaluate-observer: compiled ## which device said most, told over time by an observer trained in other homes, plain and shaped (minutes)
	@node build/test/bench/observer-over-time.js 900 6

# Lab runs that evaluate-mixing makes, by seed, the first of the home that is watched.
MIXED := 51 52 53 54 55

.PHONY: evaluate-mixing
evaluate-mixing: lab-packages dist/iotshaper.js compiled ## what an endpoint's provider sees of one home among 1, 5 and 20 (root, 20 minutes)
	@for seed in $(MIXED); do node dist/iotshaper.js lab run --variant vit --devices sense,nest-cam,wemo-switch \
	  --seconds 300 --seed $$seed --id mixed$$seed --out out/mixing/$$seed >/dev/null & done; wait
	@node build/test/bench/mixing.js 7200 3 $(addprefix out/mixing/,$(MIXED))
	@node build/test/bench/mixing-two-homes.js $(addprefix out/mixing/,$(wordlist 2,3,$(MIXED)))

.PHONY: evaluate-readers
evaluate-readers: compiled ## captures of each link type beside tshark, flows beside softflowd and nfdump (root installs them; a minute)
	@sh scripts/install-packages.sh tshark softflowd nfdump
	@node build/test/bench/readers/table.js 500

# QuickJS and its headers, as Debian 13 has them; both are to be given where they come from elsewhere.
QJS ?=
QUICKJS_HEADERS ?= /usr/include/quickjs

.PHONY: quickjs
quickjs: $(MODULES) ## a home's program for QuickJS and the module in C it needs, out/quickjs (QUICKJS_HEADERS=FOLDER)
	@node scripts/quickjs.mjs out/quickjs
	$(CC) -O2 -Wall -fPIC -shared -s -I$(QUICKJS_HEADERS) native/quickjs/machine.c -o out/quickjs/machine.so

.PHONY: evaluate-quickjs
evaluate-quickjs: test-packages dist/iotshaper.js compiled ## a home on QuickJS: its door, the wire's tests, its cost beside Node.js (root, Debian 13, 20 minutes; QJS=FILE QUICKJS_HEADERS=FOLDER)
	@[ -n "$(QJS)" ] || sh scripts/install-packages.sh quickjs libquickjs gcc libc6-dev
	@$(MAKE) --no-print-directory quickjs
	@sh test/quickjs/evaluate.sh "$$(command -v $(or $(QJS),qjs))"

.PHONY: bench
bench: bench-size ## how large and how fast it is: also framing, simulation, bus, page, delays, cost on the wire (root)
	@set -e; for name in framing simulation ubus-restart latency; do \
	  echo "== $$name"; node build/test/bench/$$name.js; done
	@echo "== longest tasks of the page"; node build/test/luci/longest-tasks.js
	@echo "== cost on the wire"; $(MAKE) --no-print-directory bench-wire

# Rates of bench-wire, KB/s, each measured for BENCH_SECONDS with one clock, with two, and under heavy load.
RATES ?= 10,40,100,400
bench-wire: BENCH_SECONDS = $(if $(filter file,$(origin SECONDS)),25,$(SECONDS))

.PHONY: bench-wire
bench-wire: lab-packages dist/iotshaper.js compiled ## CPU, wake-ups, memory, exactness, delays, start, packet sizes beside plain OpenVPN, the paper's prototype, one clock, the ideal and their goals, out/bench (root, ten minutes; SECONDS=25 RATES=10,40,100,400)
	@node build/test/bench/wire-cost.js $(BENCH_SECONDS) $(RATES) out/bench

# Runs that first-steps makes, and the folder of its roots.
TIMES ?= 10
ROOTS ?= out/roots

.PHONY: first-steps
first-steps: release compiled ## README's lines on an empty server and router, timed (root, an hour; TIMES=10 ROOTS= OPENWRT_SOURCES=)
	@sh scripts/install-packages.sh debootstrap dnsmasq-base busybox
	@sh test/bench/first-steps/roots.sh $(ROOTS)
	@node build/test/bench/first-steps/first-steps.js $(ROOTS) $(TIMES)

.PHONY: soak
soak: compiled ## lives of both services on a machine of models (minutes; LIVES=N, SEED=N repeats)
	@node build/test/bench/home-lives.js "$(LIVES)" "$(SEED)"
	@node build/test/bench/endpoint-lives.js "$(LIVES)" "$(SEED)"

.PHONY: fuzz
fuzz: compiled ## bad input for everything that reads what others made (minutes; N=100000, SEED=N repeats, TARGET=uci)
	@node build/test/bench/fuzz.js "$(N)" "$(SEED)" "$(TARGET)"

.PHONY: endurance
endurance: test-packages dist/iotshaper.js compiled ## memory and descriptors of every process while home and endpoint are reloaded (root; MINUTES=30)
	@node build/test/bench/endurance.js "$(MINUTES)"

# Seconds for which fleet takes PostgreSQL away.
GONE ?= 60
# Homes that fleet has change endpoints.
HOMES ?= 1

.PHONY: fleet
fleet: test-packages dist/iotshaper.js compiled ## two endpoints, homes, real PostgreSQL and Prometheus: a drain, both kinds of loss (root, two minutes; GONE=60 HOMES=10)
	@node build/test/bench/fleet.js $(GONE) $(HOMES)

# KB/s each way that evaluate-scale tries, and seconds of a row.
RATES ?= 5 40
ROW_SECONDS ?= 20

.PHONY: evaluate-scale
evaluate-scale: HOMES = 1 10 50 100 250
evaluate-scale: test-packages dist/iotshaper.js compiled ## how far one endpoint goes beside a tunnel without shaping: CPU, memory, slots, a plot (root, ten minutes; HOMES='1 10' RATES=40)
	@node build/test/bench/scale/scale.js "$(HOMES)" "$(RATES)" $(ROW_SECONDS) out/scale

# KB/s that evaluate-pppoe asks for, on an emulated machine; seconds of a row; which rows.
PPPOE_RATE ?= 20
PPPOE_SECONDS ?= 15

.PHONY: evaluate-pppoe
evaluate-pppoe: dist/iotshaper.js compiled ## the second clock on a WAN of real PPPoE in an emulated Debian 13: cake, fq, offload, lines that end (root, half an hour on two idle cores; ROWS='IPv6')
	@sh scripts/install-packages.sh debootstrap qemu-system-x86
	@sh test/bench/pppoe/root.sh out/pppoe/root
	@sh test/bench/pppoe/boot.sh out/pppoe/root out/pppoe $(PPPOE_RATE) $(PPPOE_SECONDS) $(ROWS)

.PHONY: bench-size
bench-size: test-packages dist/iotshaper.js compiled ## what a router carries, how soon it starts, its memory (root, a minute)
	@echo "== size"; node build/test/bench/size.js

.PHONY: compiled
compiled: $(MODULES)
	@npx --no-install tsc -p tsconfig.json
	@npx --no-install tsc -p test/luci/tsconfig.json

.PHONY: build
build: dist/iotshaper.js ## bundle the program into dist/

.PHONY: ipk
ipk: dist/iotshaper.js ## the router's package, dist/iot-shaper_VERSION-r1_all.ipk
	@node scripts/ipk.mjs

.PHONY: apk
apk: dist/iotshaper.js ## the same for OpenWrt 25.12's apk, dist/iot-shaper-VERSION-r1.apk
	@node scripts/apk.mjs

.PHONY: feed
feed: dist/iotshaper.js ## a feed for opkg and apk in dist/feed (FEED_KEY=FILE and APK_KEY=FILE sign it)
	@node scripts/feed.mjs

.PHONY: deb
deb: dist/iotshaper.js ## Debian's packages: iot-shaper-common, and -endpoint (a server's) and -home (a router's)
	@node scripts/deb.mjs

.PHONY: research
research: dist/iotshaper.js ## a package that adds lab, attacks and simulations to the endpoint's
	@node scripts/deb.mjs dist research

.PHONY: release
release: dist/iotshaper.js ## all packages, a feed, checksums and a bill of materials in dist/release
	@node scripts/release.mjs

.PHONY: dist
dist: dist/iotshaper.js ## recipes for OpenWrt's SDK and their source archive, dist/openwrt (SOURCE_URL= MAINTAINER=)
	@node scripts/dist.mjs

.PHONY: docs
docs: $(MODULES) ## write the option table into docs/configuration.md
	@node scripts/options.mjs

.PHONY: lint
lint: $(MODULES) ## check types, format and style
	npx --no-install tsc -p tsconfig.json --noEmit
	npx --no-install tsc -p luci-app/tsconfig.json
	npx --no-install tsc -p test/luci/tsconfig.json --noEmit
	npx --no-install biome check --error-on-warnings .
	node scripts/lint-luci.mjs

.PHONY: node
node:
	@sh scripts/install-node.sh

.PHONY: lab-packages
lab-packages: | node
	@sh scripts/install-packages.sh $(LAB_PACKAGES)

.PHONY: test-packages
test-packages: | node
	@sh scripts/install-packages.sh $(TEST_PACKAGES)

.PHONY: evaluate-exposure
evaluate-exposure: test-packages dist/iotshaper.js compiled ## plant whatever exposed devices, print what a provider saw (root; CASE=, TIMES=)
	@node build/test/net/exposure/table.js "$(CASE)" $(or $(TIMES),1)

.PHONY: faults
faults: test-packages dist/iotshaper.js compiled ## break both ends on purpose, print what a provider saw and when all was well (root; ROWS='regex', TIMES=)
	@node build/test/bench/faults/table.js "$(ROWS)" $(or $(TIMES),1)

.PHONY: platforms
platforms: test-packages deb compiled ## both packages on a Debian from the archive: install, shape, purge (root, minutes; RELEASE=trixie)
	@sh scripts/install-packages.sh debootstrap
	@node build/test/platforms/debian.js $(RELEASE)
	@node build/test/platforms/systemd.js $(RELEASE)

# apk-tools 3, which Debian has not.
APK ?=

.PHONY: evaluate-apk
evaluate-apk: dist/iotshaper.js compiled ## the package for apk in real apk-tools' hands: verify, install, upgrade, remove (root, seconds; APK=FILE)
	@node build/test/platforms/apk.js "$(APK)"

.PHONY: clean
clean: ## remove everything built
	rm -rf build dist out

.PHONY: node_modules
node_modules: $(MODULES)

$(MODULES): package.json package-lock.json | node
	@echo "Installing npm packages"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $(MODULES)

dist/iotshaper.js: $(MODULES) $(SOURCES)
	@node scripts/build.mjs
