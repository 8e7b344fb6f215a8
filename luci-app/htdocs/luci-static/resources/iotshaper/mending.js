// The button by which the service mends what the firewall of others does to it.
'use strict';
'require baseclass';
'require ui';
'require iotshaper.core as core';
'require iotshaper.controls as controls';
'require iotshaper.service as service';
'require iotshaper.words as words';

/** Why it was not mended; '' when it was. @param {string} code */
async function mend(code) {
  const answer = await service.mend(code);
  if (!answer.ok) return service.explain(answer.cause);
  return answer.data.ok ? '' : words.reasonTold(answer.data);
}

const api = {
  /** The button for what is told under this code; '' where a person has to see to it. @param {string | undefined} code */
  button(code) {
    if (code === undefined || !core.isMendable(code)) return '';
    const button = E(
      'button',
      {
        class: 'btn cbi-button cbi-button-action iot-mend',
        disabled: controls.isReadOnly() || null,
        click: async () => {
          button.disabled = true;
          const why = await mend(code);
          if (why === '') return;
          const told = ui.addNotification(_('Not mended'), [E('p', {}, [why])], 'error');
          told.setAttribute('role', 'alert');
          button.disabled = false;
        },
      },
      [_('Mend it')],
    );
    return button;
  },
};

/** @typedef {typeof api} MendingModule */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
