// LuCI's `E`, `dom` and classes for the pages.

function extend(Base, properties) {
  const Extended = class extends Base {};
  Object.assign(Extended.prototype, properties);
  return Extended;
}

export class Class {
  static extend(properties) {
    // biome-ignore lint/complexity/noThisInStatic: whatever class is extended
    return extend(this, properties);
  }
  constructor(...values) {
    this.__init__?.(...values);
  }
}

/** Instances of classes by the node that is theirs. */
const instances = new WeakMap();

/** The instance a node belongs to: its own, else that of the nearest node around it. */
export function findInstance(node) {
  for (let at = node; at; at = at.parentNode) if (instances.has(at)) return instances.get(at);
  return null;
}

const isNode = (value) => value !== null && typeof value === 'object' && 'nodeType' in value;

/** Text is never HTML here. */
function append(node, children) {
  for (const child of [children ?? []].flat())
    node.append(isNode(child) ? child : document.createTextNode(`${child}`));
}

export function create(tag, attributes = {}, children = null) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (typeof value === 'function') node.addEventListener(name, value);
    // The page may have no style of its own in its markup.
    else if (name === 'style') node.style.cssText = value;
    else node.setAttribute(name, value);
  }
  append(node, children);
  return node;
}

export const dom = {
  bindClassInstance(node, instance) {
    instances.set(node, instance);
    return instance;
  },
  content(node, children) {
    node.replaceChildren();
    append(node, children);
    return node.lastChild;
  },
};

/** Waits for what a button began; what fails there has been told. */
export const createHandler = (act) => async (event) => {
  const { currentTarget: button } = event;
  button.disabled = true;
  try {
    await act(event);
  } catch (error) {
    console.debug(error);
  } finally {
    button.disabled = false;
  }
};
