// The switch by which devices are shaped or not.
'use strict';
'require baseclass';
'require uci';
'require ui';
'require iotshaper.core as core';
'require iotshaper.controls as controls';
'require iotshaper.forms as forms';
'require iotshaper.service as service';
'require iotshaper.settings as settings';

const api = {
  /** In force at once: staged, applied, rolled back if the router is lost by it. */
  create() {
    let isStopped = false;
    let isBusy = false;
    const isOn = () => settings.main().enabled === true;
    const input = E('input', {
      type: 'checkbox',
      role: 'switch',
      checked: isOn() || null,
      disabled: controls.isReadOnly() || null,
      change: async () => {
        input.disabled = true;
        isBusy = true;
        const refusal = isStopped && input.checked ? await service.start() : '';
        isBusy = false;
        if (refusal !== '') forms.showRefusal(refusal);
        if (refusal !== '' || isOn() === input.checked) {
          input.checked = refusal === '' && input.checked;
          input.disabled = false;
          return;
        }
        uci.set(settings.CONFIG, core.mainSection.name, 'enabled', input.checked ? '1' : '0');
        try {
          await uci.save();
          ui.changes.apply(true);
        } catch (error) {
          forms.showRefusal(service.explainRefusal(error));
          input.checked = !input.checked;
          input.disabled = false;
        }
      },
    });
    const node = E('label', { class: 'iot-switch' }, [
      input,
      E('span', {}, [_('Shape my devices’ traffic')]),
    ]);
    return {
      node,
      /** Green only while devices are shaped, whatever the configuration says. @param {boolean} shaping */
      noteShaping(shaping) {
        node.dataset.shaping = String(shaping);
      },
      /** Nothing is on while the service is stopped, whatever the configuration says. @param {boolean} stopped */
      noteStopped(stopped) {
        if (stopped === isStopped || isBusy) return;
        isStopped = stopped;
        input.checked = !stopped && isOn();
      },
    };
  },
};

/** @typedef {typeof api} Switch */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
