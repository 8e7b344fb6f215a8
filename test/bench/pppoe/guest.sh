#!/bin/sh
# What the guest runs in the place of its first program: prepares it, runs the table, powers off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc 2>/dev/null
mount -t sysfs sys /sys 2>/dev/null
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /run /out
mount -t devpts pts /dev/pts
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mount -t 9p -o trans=virtio,version=9p2000.L,cache=none out /out
hostname guest
ip link set lo up
modprobe -a pppoe veth bridge tun sch_htb sch_cake sch_fq_codel sch_fq
cd /project || exit
words=$(sed 's/.* table=\([^ ]*\).*/\1/; s/,/ /g' /proc/cmdline)
# shellcheck disable=SC2086
node build/test/bench/pppoe/table.js $words >/dev/ttyS1 2>&1
echo $? >/out/status
sync
echo o >/proc/sysrq-trigger
sleep 60
