// A rate as a field of a form: a slider over useful rates beside a line for any; and the rates a home asks for.
'use strict';
'require baseclass';
'require dom';
'require iotshaper.core as core';
'require iotshaper.service as service';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.forms as forms';

/** @typedef {import('../../../../../src/core/home/api.ts').Recommendation} Recommendation */

/** The slider's place for a rate. @param {number} rateKBps */
function placeOf(rateKBps) {
  const above = core.usefulRates.findIndex((each) => each >= rateKBps);
  return above < 0 ? core.usefulRates.length - 1 : above;
}

/** The line of a form with a slider under it; both say the same. */
const Slider = forms.Text.extend({
  /** @param {string} section @param {number} index @param {Written} value */
  renderWidget(section, index, value) {
    const frame = forms.Text.prototype.renderWidget.call(this, section, index, value);
    const input = /** @type {HTMLInputElement} */ (frame.querySelector('input'));
    const slider = E('input', {
      type: 'range',
      class: 'iot-slider',
      'aria-label': this.title,
      min: 0,
      max: core.usefulRates.length - 1,
      step: 1,
      disabled: input.disabled || null,
      input: () => {
        input.value = String(core.usefulRates[Number(slider.value)]);
        input.dispatchEvent(new Event('input', { bubbles: true }));
      },
      // Now LuCI judges the line, and hears that it was changed.
      change: () => {
        for (const kind of ['blur', 'change']) input.dispatchEvent(new Event(kind));
      },
    });
    this.follow = () => {
      const rate = Number(input.value || this.placeholder);
      if (!(rate > 0)) return;
      slider.value = String(placeOf(rate));
      slider.setAttribute('aria-valuetext', this.describe?.(rate) ?? words.rate(rate));
    };
    this.follow();
    frame.append(slider);
    return frame;
  },
});

const api = {
  Slider,

  /**
   * The rates that the home's own traffic asks for, found by the service when asked.
   * @param {(rates: { uploadKBps: number, downloadKBps: number }) => void} onUse
   */
  createRecommendation(onUse) {
    const place = E('div', { role: 'status' });

    /** @param {Recommendation} recommendation */
    function show(recommendation) {
      const { ok, upload_kBps: up, download_kBps: down } = recommendation;
      const { mean_ms: mean, max_ms: max } = recommendation;
      const reason = words.reasonTold(recommendation);
      if (!ok || up === undefined || down === undefined) {
        dom.content(place, [E('p', {}, [reason])]);
        return;
      }
      const delay =
        mean === undefined || max === undefined
          ? ''
          : ` ${_('Its packets would wait %s on average, %s at most.').format(words.milliseconds(mean), words.milliseconds(max))}`;
      dom.content(place, [
        E('p', {}, [
          _('Your own devices ask for %s up and %s down.').format(words.rate(up), words.rate(down)),
          delay,
          ` ${reason}`,
        ]),
        E(
          'button',
          {
            class: 'btn cbi-button',
            disabled: controls.isReadOnly() || null,
            click: () => onUse({ uploadKBps: up, downloadKBps: down }),
          },
          [_('Use these rates')],
        ),
      ]);
    }

    const button = E(
      'button',
      {
        class: 'btn cbi-button',
        click: async () => {
          button.disabled = true;
          dom.content(place, [
            E('p', {}, [_('Looking at the last hours of your devices’ traffic…')]),
          ]);
          const answer = await service.recommend();
          button.disabled = false;
          if (answer.ok) show(answer.data);
          else dom.content(place, [controls.notice('error', [service.explain(answer.cause)])]);
        },
      },
      [_('What do my devices need?')],
    );
    return E('div', { class: 'iot-recommend' }, [E('p', {}, [button]), place]);
  },
};

/** @typedef {typeof api} Rates */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
