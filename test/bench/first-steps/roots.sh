#!/bin/sh
# Makes the roots that first-steps starts from, where they are not there yet: roots.sh FOLDER
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
# What a VPS has when it is handed over.
own=systemd,systemd-sysv,dbus,iproute2,nftables,ca-certificates,iputils-ping,procps,curl
for release in bookworm trixie; do
	[ -d "$folder/$release" ] || {
		echo "roots: Debian $release"
		rm -rf "$folder/$release.part"
		debootstrap --variant=minbase --include=$own "$release" "$folder/$release.part" >"$folder/$release.log"
		mv "$folder/$release.part" "$folder/$release"
	}
done
[ -d "$folder/router" ] || {
	sh test/bench/first-steps/openwrt-root.sh "$folder/bookworm" "$folder/router.part"
	mv "$folder/router.part" "$folder/router"
}
