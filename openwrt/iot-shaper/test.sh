#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run by the packages feed's CI on the target, after installation: NAME VERSION.

case "$1" in
iot-shaper | iot-shaper-quickjs)
	iotshaper --version | grep -F "${2%-*}" || exit 1
	iotshaper check /etc/config/iotshaper || exit 1
	iotshaper print /etc/config/iotshaper | grep -q 'table inet iotshaper' || exit 1
	;;
esac
