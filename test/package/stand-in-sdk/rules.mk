# Stand-in: the words recipes use of the SDK's rules.mk.
INCLUDE_DIR := $(TOPDIR)/include
BUILD_DIR := $(OUT)/build
INSTALL_DIR := install -d -m0755
CP := cp -fpR
