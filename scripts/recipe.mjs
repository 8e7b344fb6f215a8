// Reads the service's recipe for OpenWrt, so that what is built without the SDK says the same as what is built with it.
import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Recipe
 * @property {string} name
 * @property {string} version with the release, as OpenWrt's SDK writes it: `0.1.0-r1`
 * @property {string} license
 * @property {string} maintainer
 * @property {string} section
 * @property {string} title
 * @property {string[]} depends
 * @property {string} description
 * @property {string[]} conffiles
 * @property {{ preinst: string, postinst: string, prerm: string, postrm: string }} scripts as the package brings them; empty for none
 */

/**
 * @param {string} [path]
 * @returns {Recipe}
 */
export function readRecipe(path = 'openwrt/iot-shaper/Makefile') {
  const text = readFileSync(path, 'utf8').replace(/\\\n\s*/g, '');
  /** @param {string} name */
  const variable = (name) => {
    const value = new RegExp(`^\\s*${name}:=(.*)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`${path}: no ${name}`);
    return value.trim();
  };
  const name = variable('PKG_NAME');
  /** @param {string} part */
  const block = (part) => {
    const lines = new RegExp(`^define Package/${name}/${part}\\n([^]*?)^endef$`, 'm').exec(
      text,
    )?.[1];
    return (lines ?? '').replaceAll('$$', '$');
  };
  return {
    name,
    version: `${variable('PKG_VERSION')}-r${variable('PKG_RELEASE')}`,
    license: variable('PKG_LICENSE'),
    maintainer: variable('PKG_MAINTAINER'),
    section: variable('SECTION'),
    title: variable('TITLE'),
    depends: variable('DEPENDS')
      .split(/\s+/)
      // What begins with @ says on which targets it can be built.
      .filter((word) => word.startsWith('+'))
      .map((word) => word.slice(1)),
    description: block('description').trim(),
    conffiles: block('conffiles').trim().split('\n'),
    scripts: {
      preinst: block('preinst'),
      postinst: block('postinst'),
      prerm: block('prerm'),
      postrm: block('postrm'),
    },
  };
}
