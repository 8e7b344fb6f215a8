# Stand-in: what LuCI's luci.mk makes of a folder with htdocs, root and po.
LUCI_NAME ?= $(notdir $(CURDIR))
LUCI_BASENAME ?= $(patsubst luci-app-%,%,$(LUCI_NAME))
LUCI_LANGUAGES := $(filter-out templates,$(notdir $(wildcard $(CURDIR)/po/*)))
PKG_NAME ?= $(LUCI_NAME)
PKG_BUILD_DIR := $(BUILD_DIR)/$(PKG_NAME)

include $(INCLUDE_DIR)/package.mk

define Package/$(PKG_NAME)
  VERSION := $(PKG_VERSION)-r$(PKG_RELEASE)
  DEPENDS := $(LUCI_DEPENDS)
  PKGARCH := all
endef

define Build/Prepare
	for d in htdocs root; do mkdir -p $(PKG_BUILD_DIR)/$$d; $(CP) ./$$d/* $(PKG_BUILD_DIR)/$$d/; done
	$(call Build/Prepare/Default)
endef

define Package/$(PKG_NAME)/install
	$(INSTALL_DIR) $(1)/www
	cp -pR $(PKG_BUILD_DIR)/htdocs/* $(1)/www/
	cp -pR $(PKG_BUILD_DIR)/root/* $(1)/
endef

define LuciTranslation
  define Package/luci-i18n-$(LUCI_BASENAME)-$(1)
    DEPENDS := $(PKG_NAME)
  endef
  define Package/luci-i18n-$(LUCI_BASENAME)-$(1)/install
	$$(INSTALL_DIR) $$(1)/usr/lib/lua/luci/i18n
	$(foreach po,$(wildcard $(CURDIR)/po/$(1)/*.po),$(PO2LMO) $(po) $$(1)/usr/lib/lua/luci/i18n/$(basename $(notdir $(po))).$(1).lmo)
  endef
endef

$(foreach lang,$(LUCI_LANGUAGES),$(eval $(call LuciTranslation,$(lang))))
$(foreach pkg,$(PKG_NAME) $(foreach lang,$(LUCI_LANGUAGES),luci-i18n-$(LUCI_BASENAME)-$(lang)),$(eval $(call BuildPackage,$(pkg))))
