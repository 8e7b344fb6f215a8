# Stand-in: what the SDK's package.mk does with the parts of a recipe.
PKG_BUILD_DIR ?= $(BUILD_DIR)/$(PKG_NAME)-$(PKG_VERSION)
__archive = $(patsubst file://%,%,$(PKG_SOURCE_URL))/$(PKG_SOURCE)

define Build/Prepare/Default
	$(if $(PKG_SOURCE),test $(PKG_HASH) = "$$(sha256sum < $(__archive) | cut -d ' ' -f 1)")
	$(if $(PKG_SOURCE),mkdir -p $(BUILD_DIR) && tar -C $(BUILD_DIR) -xzf $(__archive))
	$(if $(PKG_SOURCE),cd $(PKG_BUILD_DIR) && ls $(PKG_LICENSE_FILES) > /dev/null)
endef
Build/Prepare = $(Build/Prepare/Default)

# Each package of a recipe that is SELECTED, or without a word every one that is the same on all targets, comes to stand in a folder of its name.
define BuildPackage
$(eval $(Package/$(1)))
$(if $(or $(filter $(1),$(SELECTED)),$(if $(SELECTED),,$(filter all,$(PKGARCH)))),all: $(1))
.PHONY: $(1)
$(1): prepare
	mkdir -p $(OUT)/$(1)
	$(call Package/$(1)/install,$(OUT)/$(1))
	@echo "$(1) $(if $(VERSION),$(VERSION),$(PKG_VERSION)-r$(PKG_RELEASE)) $(PKGARCH) [$(strip $(DEPENDS))] $(PKG_LICENSE), $(PKG_MAINTAINER), $(URL)"
endef

.PHONY: all prepare
all:
prepare:
	$(Build/Prepare)
	$(Build/Compile)
