// Widgets in the place of those of LuCI's ui.js: a line, a box, a choice and a list, as the pages' forms use them.
(() => {
  const { Class, create, dom, showFault, ui } = window.luciParts;

  class AbstractElement extends Class {
    isValid() {
      return this.fault === undefined || this.fault === '';
    }
    getValidationError() {
      return this.fault ?? '';
    }
    triggerValidation() {
      const before = this.isValid();
      this.judge?.();
      return before !== this.isValid();
    }
    setChangeEvents(target, ...events) {
      for (const kind of events)
        target.addEventListener(kind, () =>
          this.node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true })),
        );
    }

    /** Judges a field's value at these events, and marks it as LuCI's themes know it. */
    setJudge(field, value, ...events) {
      const { optional = true, validate } = this.options;
      this.judge = () => {
        const text = value();
        const answer = text === '' && !optional ? _('This must not be empty.') : validate(text);
        this.fault = answer === true ? '' : answer;
        field.classList.toggle('cbi-input-invalid', answer !== true);
        if (answer === true) field.removeAttribute('data-tooltip');
        else field.setAttribute('data-tooltip', answer);
        // LuCI's themes draw the tooltip.
        showFault?.(field, this.fault);
      };
      for (const kind of events) field.addEventListener(kind, this.judge);
    }

    bind(node) {
      this.node = node;
      dom.bindClassInstance(node, this);
      return node;
    }
  }

  class Textfield extends AbstractElement {
    constructor(value, options) {
      super();
      Object.assign(this, { value, options });
    }
    render() {
      const { id, placeholder, disabled } = this.options;
      this.input = create('input', {
        id: `widget.${id}`,
        type: 'text',
        class: 'cbi-input-text',
        placeholder,
        value: this.value,
        disabled: disabled || null,
      });
      this.bind(create('div', { id }, [this.input]));
      this.setJudge(this.input, () => this.input.value, 'input', 'keyup', 'blur');
      this.setChangeEvents(this.input, 'change');
      return this.node;
    }
    getValue() {
      return this.input.value;
    }
    setValue(value) {
      this.input.value = value;
    }
  }

  let boxes = 0;

  class Checkbox extends AbstractElement {
    constructor(value, options) {
      super();
      Object.assign(this, { value, options });
    }
    render() {
      const { id, disabled } = this.options;
      const boxId = `cb${++boxes}`;
      this.input = create('input', {
        id: boxId,
        type: 'checkbox',
        checked: this.value === '1' || null,
        disabled: disabled || null,
        'data-widget-id': `widget.${id}`,
      });
      const label = create('label', { for: boxId });
      this.bind(create('div', { id, class: 'cbi-checkbox' }, [this.input, label]));
      this.setChangeEvents(this.input, 'change');
      return this.node;
    }
    getValue() {
      return this.input.checked ? '1' : '0';
    }
    setValue(value) {
      this.input.checked = value === '1';
    }
  }

  class Select extends AbstractElement {
    constructor(value, choices, options) {
      super();
      Object.assign(this, { value, choices, options });
    }
    render() {
      const { id, disabled } = this.options;
      this.select = create(
        'select',
        { id: `widget.${id}`, class: 'cbi-input-select', disabled: disabled || null },
        this.choices.map(([value, label]) =>
          create('option', { value, selected: value === this.value || null }, [label]),
        ),
      );
      this.bind(create('div', { id }, [this.select]));
      this.setJudge(this.select, () => this.select.value, 'change', 'blur');
      this.setChangeEvents(this.select, 'change');
      return this.node;
    }
    getValue() {
      return this.select.value;
    }
    setValue(value) {
      this.select.value = value;
    }
  }

  class DynamicList extends AbstractElement {
    constructor(values, options) {
      super();
      Object.assign(this, { values, options: { ...options, optional: true } });
    }
    render() {
      const { id, placeholder, disabled } = this.options;
      this.input = create('input', {
        id: `widget.${id}`,
        type: 'text',
        class: 'cbi-input-text',
        placeholder,
        disabled: disabled || null,
        keydown: (event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          this.take();
        },
      });
      const plus = create(
        'button',
        {
          type: 'button',
          class: 'btn cbi-button-add',
          'aria-label': _('Add'),
          disabled: disabled || null,
          click: () => this.take(),
        },
        ['+'],
      );
      this.line = create('div', { class: 'add-item control-group' }, [this.input, plus]);
      this.bind(create('div', { id, class: 'cbi-dynlist' }, [this.line]));
      for (const value of this.values) this.add(value);
      this.setJudge(this.input, () => this.input.value, 'input', 'keyup', 'blur');
      return this.node;
    }
    isRefused() {
      return this.input.classList.contains('cbi-input-invalid');
    }
    /** LuCI judges what is written here without holding the whole list to it. */
    isValid() {
      return true;
    }
    take() {
      const { value } = this.input;
      if (value === '' || this.isRefused()) return;
      this.add(value);
      this.input.value = '';
      this.tell();
    }
    tell() {
      this.node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true }));
    }
    add(value) {
      const item = create('div', {
        class: 'item',
        tabindex: 0,
        keydown: (event) => {
          if (event.key !== 'Delete' || this.options.disabled) return;
          item.remove();
          this.tell();
        },
      });
      item.append(create('span', {}, [value]), create('input', { type: 'hidden', value }));
      if (showFault && !this.options.disabled) item.append(this.createRemover(item, value));
      this.line.before(item);
    }
    /** LuCI's themes draw one. */
    createRemover(item, value) {
      const remove = () => {
        item.remove();
        this.tell();
      };
      const name = `${_('Delete')}: ${value}`;
      const kind = { type: 'button', class: 'btn', 'aria-label': name, click: remove };
      return create('button', kind, ['×']);
    }
    getValue() {
      const items = [...this.node.querySelectorAll('.item > input')].map(({ value }) => value);
      const pending = this.input.value.trim() === '' || this.isRefused() ? [] : [this.input.value];
      return [...new Set([...items, ...pending])];
    }
  }

  Object.assign(ui, { AbstractElement });
  window.luciParts.widgets = { AbstractElement, Textfield, Checkbox, Select, DynamicList };
})();
