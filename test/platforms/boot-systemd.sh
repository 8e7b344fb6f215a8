#!/bin/sh
# Boots the systemd of a root in namespaces of its own: boot-systemd.sh ROOT CGROUPS. Its process 1 is the child of this one.
# To be run in a mount namespace: the hierarchy of all the machine's groups, which it mounts, must not be left lying about.
set -e
root=$1 cgroups=$2
mkdir -p "$cgroups"
mount -t cgroup2 none "$cgroups"
mkdir -p "$cgroups/iotshaper-platforms"
echo $$ >"$cgroups/iotshaper-platforms/cgroup.procs"
# shellcheck disable=SC2016 # the inner shell's
exec unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child sh -c '
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
ip link set lo up
# Devices behind br-iot, a provider behind wan.
ip link add br-iot type bridge
ip addr add 192.168.8.1/24 dev br-iot
ip link set br-iot up
ip link add wan type veth peer name provider
ip addr add 100.64.8.2/24 dev wan
ip link set provider up
ip link set wan up
ip route add default via 100.64.8.1
mount -t proc proc "$root/proc"
# Of the kernel only the network is this machine s own.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount --bind /proc/sys/net "$root/proc/sys/net"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/net" "$root/dev/pts" "$root/dev/shm"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/zero" c 1 5
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
mknod -m 666 "$root/dev/tty" c 5 0
mknod -m 666 "$root/dev/net/tun" c 10 200
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
touch "$root/dev/console"
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /sbin/init
' boot "$root"
