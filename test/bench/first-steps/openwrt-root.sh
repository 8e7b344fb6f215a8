#!/bin/sh
# Makes a router's root: OpenWrt 24.10's own userland, built from its sources for glibc, on a Debian root with what its packages
# bring (OpenVPN, nft, tc …). No router, but what a router's user types runs there: openwrt-root.sh DEBIAN_ROOT TARGET
# OPENWRT_SOURCES: where OpenWrt's repositories are, a folder or an address.
set -eu

debian=$1
target=$2
from=${OPENWRT_SOURCES:-https://github.com/openwrt}
work=$target.work
# What an OpenWrt 24.10 image has, in the order it is built in: repository, recipe in openwrt/openwrt.
parts="libubox:libs/libubox ubus:system/ubus uci:system/uci ucode:utils/ucode udebug:libs/udebug ubox:system/ubox procd:system/procd
	opkg-lede:system/opkg rpcd:system/rpcd jsonpath:utils/jsonfilter libnl-tiny:libs/libnl-tiny netifd:network/config/netifd firewall4:network/config/firewall4"

say() { echo "openwrt-root: $*"; }

# Lays a folder, or parts of it, over the root, whose /lib and /bin are links.
lay() {
	folder=$1
	shift
	tar c -C "$folder" "${@:-.}" | tar x -C "$target" --keep-directory-symlink --no-same-owner
}

rm -rf "$target" "$work"
mkdir -p "$work"
apt-get install -y -qq --no-install-recommends git cmake gcc make pkg-config libjson-c-dev libssl-dev libarchive-dev \
	zlib1g-dev >/dev/null
say "copying the Debian root, and what OpenWrt's packages would bring"
cp -a "$debian" "$target"
cp /etc/resolv.conf "$target/etc/resolv.conf"
chroot "$target" apt-get install -y -qq --no-install-recommends openvpn socat nftables iproute2 tcpdump conntrack dnsmasq-base busybox \
	libjson-c5 libarchive13 openssl >/dev/null 2>&1
cp "$(readlink -f "$(command -v node)")" "$target/usr/bin/node"

for name in sh ash logger udhcpc md5sum vi; do ln -sf busybox "$target/usr/bin/$name"; done

say "fetching sources from $from"
[ -d "$work/openwrt" ] || git clone -q --depth 1 --branch openwrt-24.10 "$from/openwrt" "$work/openwrt"
cat >"$work/compat.h" <<'C'
#include <string.h>
static inline __attribute__((unused)) size_t openwrt_strlcpy(char *to, const char *from, size_t size) {
	size_t length = strlen(from), copied = length < size ? length : size - 1;
	if (size) { memcpy(to, from, copied); to[copied] = 0; }
	return length;
}
#define strlcpy openwrt_strlcpy
C
export CFLAGS="-D_GNU_SOURCE -I$target/usr/include -I$target/usr/include/libnl-tiny -w -include $work/compat.h"
export LIBRARY_PATH="$target/usr/lib" LD_LIBRARY_PATH="$target/usr/lib" LDFLAGS="-L$target/usr/lib"
for part in $parts; do
	name=${part%%:*}
	recipe=$work/openwrt/package/${part#*:}
	git clone -q "$from/$name" "$work/$name"
	git -C "$work/$name" checkout -q "$(sed -n 's/^PKG_SOURCE_VERSION:=//p' "$recipe/Makefile")"
	if [ "$name" = firewall4 ]; then
		lay "$work/firewall4/root"
		continue
	fi
	say "building $name"
	(
		cd "$work/$name"
		# Their tests are theirs to run, and not every warning of another compiler is a fault.
		# Nor has every kernel bridges that filter VLANs, and one without refuses to be told not to.
		[ "$name" != netifd ] || sed -i 's/^\tnla_put_u8(msg, IFLA_BR_VLAN_FILTERING/\tif (cfg->vlan_filtering) &/' system-linux.c
		sed -i -e 's/-Werror[a-z=-]*//g' -e '/ADD_SUBDIRECTORY(tests)/Id' CMakeLists.txt
		cmake . -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_PREFIX_PATH="$target/usr" -DBUILD_LUA=OFF \
			-DBUILD_EXAMPLES=OFF -DIWINFO_SUPPORT=OFF -DLIBNL_LIBS=-lnl-tiny
		make -j2
		make install DESTDIR="$target"
	) >"$work/$name.log" 2>&1 || {
		tail -20 "$work/$name.log" >&2
		exit 1
	}
	[ ! -d "$recipe/files/etc" ] || lay "$recipe/files"
done

say "laying out base-files, procd's, opkg's and dnsmasq's own scripts"
package=$work/openwrt/package
mkdir -p "$target/usr/lib/netifd"
cp "$work/netifd/scripts"/*.sh "$target/usr/lib/netifd/"
rm -f "$target/etc/shadow" "$target/etc/fstab"
lay "$package/base-files/files" bin etc lib/functions lib/functions.sh sbin usr
chmod 755 "$target/etc/rc.common"
mkdir -p "$target/lib/functions" "$target/etc/rc.d" "$target/etc/config" "$target/etc/uci-defaults" "$target/usr/share/dnsmasq"
cp "$package/system/procd/files/procd.sh" "$target/lib/functions/procd.sh"
install -m 755 "$package/system/procd/files/service" "$package/system/procd/files/reload_config" "$target/usr/sbin/"
install -m 755 "$package/system/rpcd/files/rpcd.init" "$target/etc/init.d/rpcd"
cp "$package/system/rpcd/files/rpcd.config" "$target/etc/config/rpcd"
cp "$package/system/opkg/files/opkg.conf" "$target/etc/opkg.conf"
mv "$target/usr/bin/opkg-cl" "$target/usr/bin/opkg"
ln -s ../bin/uci "$target/usr/sbin/uci"
ln -s jsonpath "$target/usr/bin/jsonfilter"
echo 'dnsmasq:x:453:453:dnsmasq:/var/run/dnsmasq:/bin/false' >>"$target/etc/passwd"
echo 'dnsmasq:x:453:' >>"$target/etc/group"
install -m 755 "$package/system/ubox/files/log.init" "$target/etc/init.d/log"
mkdir -p "$target/usr/lib/config"
cp "$package/system/uci/files/lib/config/uci.sh" "$target/usr/lib/config/"
install -m 755 "$package/network/services/dnsmasq/files/dnsmasq.init" "$target/etc/init.d/dnsmasq"
# Debian's dnsmasq has no ubus.
sed -i '/enable-ubus/d' "$target/etc/init.d/dnsmasq"
install -m 755 "$package/network/services/dnsmasq/files/dhcp-script.sh" "$target/usr/lib/dnsmasq/dhcp-script.sh" 2>/dev/null || true
cp "$package/network/services/dnsmasq/files/dhcp.conf" "$target/etc/config/dhcp"
# The lab's Internet has addresses for documentation, which dnsmasq takes for ones of the house.
sed -i "s/^config dnsmasq.*/&\n\tlist rebind_domain 'example.org'/" "$target/etc/config/dhcp"
cp "$package/network/services/dnsmasq/files/rfc6761.conf" "$target/usr/share/dnsmasq/"
sed -i 's#%PATH%#/usr/sbin:/usr/bin:/sbin:/bin#g' "$target/sbin/hotplug-call" "$target/etc/profile"
rm -f "$target/etc/resolv.conf" "$target/etc/uci-defaults"/*
ln -s /tmp/resolv.conf "$target/etc/resolv.conf"
for script in log:12 rpcd:12 firewall:19 network:20 dnsmasq:19; do
	ln -sf "../init.d/${script%%:*}" "$target/etc/rc.d/S${script#*:}${script%%:*}"
done

# What is in place here and a package on a router: opkg is told so.
mkdir -p "$target/usr/lib/opkg/info" "$target/var/lock"
for name in libc node openvpn-openssl socat firewall4 nftables-json kmod-nft-core kmod-nft-fib kmod-nft-nat kmod-tun kmod-veth kmod-nft-netdev ip tc tcpdump \
	kmod-sched-core; do
	printf 'Package: %s\nVersion: 24.10\nStatus: install user installed\nArchitecture: all\n\n' "$name"
done >"$target/usr/lib/opkg/status"

# A line out, a network of the house and a free port, as a router has them after its first set-up.
cat >"$target/etc/config/network" <<'U'
config interface 'loopback'
	option device 'lo'
	option proto 'static'
	option ipaddr '127.0.0.1/8'

config device
	option name 'br-lan'
	option type 'bridge'
	list ports 'lan1'

config interface 'lan'
	option device 'br-lan'
	option proto 'static'
	option ipaddr '192.168.1.1/24'

config interface 'wan'
	option device 'wan'
	option proto 'static'
	option ipaddr '198.51.100.2/24'
	option gateway '198.51.100.1'
	list dns '192.88.99.53'
U
cat >"$target/etc/config/system" <<'U'
config system
	option hostname 'OpenWrt'
	option timezone 'UTC'
U

cat >"$target/sbin/first-boot" <<'B'
#!/bin/sh
# Stands for procd as process 1, which would reach for this computer's devices, and for what /etc/init.d/boot does to hardware.
mkdir -p /run/lock /tmp/run /tmp/resolv.conf.d /tmp/.uci /var/state
touch /tmp/resolv.conf.d/resolv.conf.auto
ln -sf /tmp/resolv.conf.d/resolv.conf.auto /tmp/resolv.conf
mkdir -p /var/run/ubus
/usr/sbin/ubusd &
while [ ! -S /var/run/ubus/ubus.sock ]; do :; done
/usr/sbin/procd &
ubus -t 30 wait_for service
for script in /etc/rc.d/S*; do "$script" boot; done
/sbin/reload_config
: >/tmp/booted
wait
B
chmod 755 "$target/sbin/first-boot"
rm -rf "$work"
say "$target is ready"
