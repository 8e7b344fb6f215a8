#!/bin/sh
# Makes the root that a guest boots, Debian 13 with its own kernel, where it is not there yet: root.sh FOLDER
set -eu
[ ! -d "$1" ] || exit 0
part=$1.part
rm -rf "$part"
mkdir -p "$(dirname "$1")"
echo "pppoe: Debian 13 with its kernel"
packages=linux-image-amd64,nodejs,ppp,pppoe,conntrack,openvpn,openssl,nftables,iproute2,iputils-ping,socat,ethtool,tcpdump,dnsmasq-base,procps,util-linux,netbase
debootstrap --variant=minbase --include=$packages trixie "$part" >"$1.log"

# The root is this folder, by 9p, below what the guest writes, which is gone with it; the project is mounted in it.
cat >"$part/etc/initramfs-tools/scripts/folder" <<'BOOT'
mountroot() {
	modprobe -a 9pnet_virtio 9p overlay
	mkdir -p /run/below /run/above
	mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro root /run/below
	mount -t tmpfs above /run/above
	mkdir /run/above/files /run/above/work
	mount -t overlay -o lowerdir=/run/below,upperdir=/run/above/files,workdir=/run/above/work root "$rootmnt"
	mkdir "$rootmnt/project"
	mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro project "$rootmnt/project"
}
BOOT
printf '%s\n' virtio_pci 9pnet_virtio 9p overlay >"$part/etc/initramfs-tools/modules"
echo MODULES=list >"$part/etc/initramfs-tools/conf.d/folder"
chroot "$part" update-initramfs -u >>"$1.log" 2>&1
mv "$part" "$1"
