// Networks all of whose devices are shaped: one box to tick for each.
'use strict';
'require baseclass';
'require uci';
'require iotshaper.controls as controls';
'require iotshaper.settings as settings';

/** @typedef {{ name: string, netdev: string }} Network */

/** Networks all of whose devices are shaped. @param {Network[]} known */
function create(known) {
  const sections = settings.sections('network');
  /** @type {Map<string, string>} */
  const chosen = new Map(sections.map((section) => [String(section.device), section['.name']]));
  const names = new Map(known.map(({ name, netdev }) => [netdev, `${name} (${netdev})`]));
  for (const netdev of chosen.keys()) if (!names.has(netdev)) names.set(netdev, netdev);

  const boxes = [...names].map(([netdev, label]) => {
    const input = E('input', {
      type: 'checkbox',
      checked: chosen.has(netdev) || null,
      disabled: controls.isReadOnly() || null,
      change: () => {
        const section = chosen.get(netdev);
        if (section) {
          uci.remove(settings.CONFIG, section);
          chosen.delete(netdev);
        } else {
          const added = uci.add(settings.CONFIG, 'network');
          uci.set(settings.CONFIG, added, 'device', netdev);
          chosen.set(netdev, added);
        }
      },
    });
    return E('label', { class: 'iot-check' }, [input, ' ', label]);
  });
  return controls.section(_('Whole networks'), [
    E('p', {}, [
      _('Everything behind a chosen network is shaped, unless a device below says otherwise.'),
    ]),
    boxes.length > 0
      ? E('div', { role: 'group', 'aria-label': _('Whole networks') }, boxes)
      : E('p', {}, [_('The router names no network besides the one to the Internet.')]),
  ]);
}

const api = { create };

/** @typedef {typeof api} Networks */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
