// Maps, sections and options over UCI in the place of LuCI's form.js, as far as the pages use them: for the page of Debian, and
// for tests of the page of OpenWrt. Written from LuCI's documentation of these classes; test/luci/README.md says how the pages
// are tried on LuCI's own.
(() => {
  const {
    Class,
    create,
    createHandler,
    dom,
    findInstance,
    hideModal,
    rpc,
    showModal,
    strict,
    uci,
  } = window.luciParts;
  const { AbstractElement, Textfield, Checkbox, Select, DynamicList } = window.luciParts.widgets;

  const mayWrite = rpc.declare({
    object: 'session',
    method: 'access',
    params: ['scope', 'object', 'function'],
    expect: { access: false },
  });

  const areEqual = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

  class FormElement extends Class {
    constructor(title = '', description = '') {
      super();
      Object.assign(this, { title, description, children: [] });
    }
  }

  class FormMap extends FormElement {
    constructor(config, title, description) {
      super(title, description);
      Object.assign(this, { config, root: null, readonly: null, data: uci });
    }
    section(type, ...parameters) {
      const section = new type(this, ...parameters);
      this.children.push(section);
      return section;
    }
    async load() {
      if (this.readonly === null && !(await mayWrite('uci', this.config, 'write')))
        this.readonly = true;
      await uci.load(this.config);
      await Promise.all(this.children.map((section) => section.load()));
    }
    async parse() {
      await Promise.all(this.children.map((section) => section.parse()));
    }
    async save(callback, silent) {
      this.checkDepends();
      try {
        await this.parse();
        await callback?.();
        await uci.save();
        await this.load();
      } catch (error) {
        if (!silent) showModal(_('Not saved'), [error.message]);
        throw error;
      }
      return this.renderContents();
    }
    reset() {
      return this.renderContents();
    }
    async render() {
      await this.load();
      return this.renderContents();
    }
    async renderContents() {
      this.root ??= create('div', { id: `cbi-${this.config}`, class: 'cbi-map' });
      dom.bindClassInstance(this.root, this);
      const nodes = await Promise.all(this.children.map((section) => section.render()));
      dom.content(this.root, nodes);
      this.checkDepends();
      return this.root;
    }
    findField(id) {
      return this.root?.querySelector(`[data-field="${id}"]`) ?? null;
    }
    checkDepends() {
      // What one option hides may be what another depends on.
      for (let round = 0; round < 3; round++)
        for (const section of this.children) section.checkDepends();
    }
  }

  class AbstractSection extends FormElement {
    constructor(map, sectiontype, title, description) {
      super(title, description);
      Object.assign(this, { map, sectiontype, config: map.config });
    }
    option(type, name, title, description) {
      const option = new type(this.map, this, name, title, description);
      this.children.push(option);
      return option;
    }
    async load() {
      for (const id of this.cfgsections())
        for (const option of this.children) option.values[id] = await option.load(id);
    }
    async parse() {
      for (const id of this.cfgsections())
        for (const option of this.children) await option.parse(id);
    }
    getOption(name) {
      return this.children.find(({ option }) => option === name) ?? null;
    }
    formvalue(id, name) {
      const read = (option) => (this.map.root ? option.formvalue(id) : option.cfgvalue(id));
      if (name !== undefined) return read(this.getOption(name));
      return Object.fromEntries(this.children.map((option) => [option.option, read(option)]));
    }
    checkDepends() {
      for (const id of this.cfgsections())
        for (const option of this.children) {
          option.setActive(id, option.isSatisfied(id));
          if (option.isActive(id)) option.triggerValidation(id);
        }
    }
    renderOptions(id) {
      return Promise.all(this.children.map((option, index) => option.render(index, id)));
    }
    renderFrame(nodes) {
      const node = create('div', { class: 'cbi-section' }, [
        ...(this.title === '' ? [] : [create('h3', {}, [this.title])]),
        ...(this.description === ''
          ? []
          : [create('div', { class: 'cbi-section-descr' }, [this.description])]),
        ...nodes,
      ]);
      dom.bindClassInstance(node, this);
      return node;
    }
  }

  class NamedSection extends AbstractSection {
    constructor(map, section, type, title, description) {
      super(map, type, title, description);
      this.section = section;
    }
    cfgsections() {
      return [this.section];
    }
    async render() {
      const nodes = await this.renderOptions(this.section);
      return this.renderContents([uci.get(this.config, this.section), nodes]);
    }
    renderContents([written, nodes]) {
      // LuCI draws no fields of a section that is not there.
      const box = { class: 'cbi-section-node', 'data-section-id': this.section };
      return this.renderFrame(written ? [create('div', box, nodes)] : []);
    }
  }

  class TypedSection extends AbstractSection {
    cfgsections() {
      return uci.sections(this.config, this.sectiontype).map((section) => section['.name']);
    }
    handleAdd() {
      uci.add(this.config, this.sectiontype);
      return this.map.save(null, true);
    }
    handleRemove(id) {
      uci.remove(this.config, id);
      return this.map.save(null, true);
    }
    async render() {
      const ids = this.cfgsections();
      return this.renderContents(ids, await Promise.all(ids.map((id) => this.renderOptions(id))));
    }
    renderSectionPlaceholder() {
      return create('em', {}, ['–']);
    }
    renderSectionAdd() {
      return create('div', { class: 'cbi-section-create' }, [
        create(
          'button',
          {
            class: 'cbi-button cbi-button-add',
            disabled: this.map.readonly || null,
            click: createHandler((event) => this.handleAdd(event)),
          },
          [this.addbtntitle ?? _('Add')],
        ),
      ]);
    }
    renderContents(ids, all) {
      const nodes = ids.flatMap((id, index) => {
        const remove = {
          class: 'cbi-button',
          disabled: this.map.readonly || null,
          click: createHandler(() => this.handleRemove(id)),
        };
        const box = { class: 'cbi-section-node', 'data-section-id': id };
        return [
          create('div', { class: 'cbi-section-remove right' }, [
            create('button', remove, [_('Delete')]),
          ]),
          create('div', box, all[index]),
        ];
      });
      if (nodes.length === 0) nodes.push(this.renderSectionPlaceholder());
      return this.renderFrame([...nodes, this.renderSectionAdd()]);
    }
  }

  /** Rows that are edited in a dialog. What the rows look like is the page's own. */
  class GridSection extends TypedSection {
    handleAdd() {
      this.added = uci.add(this.config, this.sectiontype);
      return this.renderMoreOptionsModal(this.added);
    }
    async parse() {}
    addModalOptions() {}
    async renderMoreOptionsModal(id) {
      const map = new FormMap(this.config);
      map.readonly = this.map.readonly;
      const section = map.section(NamedSection, id, this.sectiontype);
      for (const source of this.children) {
        const copy = section.option(source.constructor, source.option);
        const { map: _map, section: _section, values: _values, ...properties } = source;
        Object.assign(copy, properties);
      }
      await this.addModalOptions(section, id);
      const close = () => {
        if (this.added !== undefined) uci.remove(this.config, this.added);
        this.added = undefined;
        hideModal();
      };
      const store = async () => {
        try {
          await map.save(null, true);
        } catch {
          // LuCI says nothing here.
          return;
        }
        await this.map.load();
        await this.map.reset();
        this.added = undefined;
        hideModal();
      };
      const button = (kind, text, act, disabled = null) =>
        create('button', { class: `btn cbi-button ${kind}`, click: createHandler(act), disabled }, [
          text,
        ]);
      showModal(this.modaltitle ?? this.title, [
        await map.render(),
        create('div', { class: 'button-row' }, [
          button('', _('Dismiss'), close),
          ' ',
          button('cbi-button-positive', _('Save'), store, map.readonly || null),
        ]),
      ]);
      map.checkDepends();
    }
  }

  class Value extends FormElement {
    constructor(map, section, option, title, description) {
      super(title, description);
      Object.assign(this, { map, section, option, default: null, rmempty: true, optional: false });
      Object.assign(this, { retain: false, deps: [], values: {}, choices: [] });
    }
    value(key, label) {
      this.choices = [...this.choices, [key, label]];
    }
    depends(option, value) {
      this.deps.push([option, value]);
    }
    /** Any of its conditions suffices; it has to hold for an option that is there itself. */
    isSatisfied(id) {
      return (
        this.deps.length === 0 ||
        this.deps.some(([name, wanted]) => {
          const node = this.map.findField(`cbid.${this.map.config}.${id}.${name}`);
          const other = node ? findInstance(node) : null;
          return other?.isActive(id) === true && other.formvalue(id) === wanted;
        })
      );
    }
    cbid(id) {
      return `cbid.${this.map.config}.${id}.${this.option}`;
    }
    load(id) {
      return uci.get(this.map.config, id, this.option);
    }
    cfgvalue(id) {
      return this.values[id];
    }
    getUIElement(id) {
      const node = this.map.root?.querySelector(`[id="${this.cbid(id)}"]`);
      const instance = node ? findInstance(node) : null;
      return instance instanceof AbstractElement ? instance : null;
    }
    formvalue(id) {
      return this.getUIElement(id)?.getValue() ?? null;
    }
    validate() {
      return true;
    }
    isValid(id) {
      return this.getUIElement(id)?.isValid() ?? true;
    }
    getValidationError(id) {
      return this.getUIElement(id)?.getValidationError() ?? '';
    }
    triggerValidation(id) {
      return this.getUIElement(id)?.triggerValidation() ?? true;
    }
    isActive(id) {
      const field = this.map.findField(this.cbid(id));
      return field !== null && !field.classList.contains('hidden');
    }
    setActive(id, isActive) {
      this.map.findField(this.cbid(id))?.classList.toggle('hidden', !isActive);
    }
    async parse(id) {
      if (!this.isActive(id)) {
        if (!this.retain) this.remove(id);
        return;
      }
      if (!this.isValid(id)) throw new TypeError(`${this.title}: ${this.getValidationError(id)}`);
      const written = this.formvalue(id);
      if (written === null || written.length === 0) {
        if (!this.rmempty && !this.optional)
          throw new TypeError(_('%s must not be empty.').format(this.title));
        this.remove(id);
      } else if (!areEqual(written, this.cfgvalue(id))) this.write(id, written);
    }
    write(id, value) {
      uci.set(this.map.config, id, this.option, value);
    }
    remove(id) {
      uci.unset(this.map.config, id, this.option);
    }
    async render(index, id) {
      return this.renderFrame(id, this.renderWidget(id, index, this.cfgvalue(id)));
    }
    renderFrame(id, widget) {
      const inputId = `widget.${this.cbid(id)}`;
      const label = create(
        'label',
        {
          class: 'cbi-value-title',
          for: inputId,
          click: ({ currentTarget }) =>
            currentTarget.nextElementSibling
              .querySelector(`[data-widget-id="${inputId}"]`)
              ?.click(),
        },
        [this.title],
      );
      const hint =
        this.description === ''
          ? []
          : [create('div', { class: 'cbi-value-description' }, [this.description])];
      const node = create(
        'div',
        { class: 'cbi-value', 'data-field': this.cbid(id), 'data-name': this.option },
        [label, create('div', { class: 'cbi-value-field' }, [widget, ...hint])],
      );
      if (this.deps.length > 0) node.classList.add('hidden');
      let before = null;
      node.addEventListener('widget-change', (event) => {
        this.map.checkDepends();
        const value = this.formvalue(id);
        if (areEqual(value, before)) return;
        before = value;
        this.onchange?.(event, id, value);
      });
      dom.bindClassInstance(node, this);
      return node;
    }
    widgetOptions(id) {
      return {
        id: this.cbid(id),
        optional: this.optional || this.rmempty,
        placeholder: this.placeholder,
        validate: (value) => this.validate(id, value),
        disabled: this.map.readonly,
      };
    }
    renderWidget(id, _index, value) {
      return new Textfield(value ?? this.default, this.widgetOptions(id)).render();
    }
  }

  class Flag extends Value {
    constructor(...parameters) {
      super(...parameters);
      this.default = '0';
    }
    renderWidget(id, _index, value) {
      return new Checkbox(value ?? this.default, this.widgetOptions(id)).render();
    }
    async parse(id) {
      if (!this.isActive(id)) {
        if (!this.retain) this.remove(id);
        return;
      }
      const written = this.formvalue(id);
      if (written === this.default && this.rmempty) this.remove(id);
      else this.write(id, written);
    }
  }

  class ListValue extends Value {
    renderWidget(id, _index, value) {
      return new Select(value ?? this.default, this.choices, this.widgetOptions(id)).render();
    }
  }

  class ListOfValues extends Value {
    renderWidget(id, _index, value) {
      return new DynamicList([value ?? []].flat(), this.widgetOptions(id)).render();
    }
  }

  class DummyValue extends Value {
    write() {}
    remove() {}
  }

  const { builtIn } = window.luciParts;
  builtIn.form = strict('form', {
    Map: FormMap,
    AbstractSection,
    NamedSection,
    TypedSection,
    GridSection,
    Value,
    Flag,
    ListValue,
    DynamicList: ListOfValues,
    DummyValue,
  });
})();
