#!/bin/sh
# Boots a root of root.sh in QEMU and has it run the table; its exit status is this one's: boot.sh ROOT OUT [WORD…]
set -eu
root=$1 out=$2
shift 2
mkdir -p "$out"
rm -f "$out/status"
words=$(printf '%s,' "$@")
share() { printf 'local,path=%s,mount_tag=%s,security_model=none' "$1" "$2"; }
qemu-system-x86_64 -M q35 -accel "${ACCEL:-tcg}" -cpu max -smp 2 -m 2048 -nodefaults -no-reboot -display none \
	-kernel "$root"/boot/vmlinuz-* -initrd "$root"/boot/initrd.img-* \
	-append "console=ttyS0 quiet panic=1 boot=folder init=/bin/sh table=$words -- /project/test/bench/pppoe/guest.sh" \
	-virtfs "$(share "$root" root),readonly=on" -virtfs "$(share "$PWD" project),readonly=on" \
	-virtfs "$(share "$out" out)" -serial "file:$out/console.log" -serial stdio </dev/null
exit "$(cat "$out/status" 2>/dev/null || echo 2)"
