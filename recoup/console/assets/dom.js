// Builds elements. Whatever comes from an event goes in as text, never as HTML.

// An element with attributes (`class`, `href`, ...), listeners (`onclick`) and children (elements or texts).
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

export function add(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === "") continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return parent;
}

export function fill(parent, ...children) {
  parent.replaceChildren();
  return add(parent, children);
}

// Change a text only when it is another one: what stays is not painted again.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export const byId = (id) => document.getElementById(id);

// Keep as many children as there are values, each made once and then only changed.
export function keep(parent, values, makeOne, changeOne) {
  while (parent.children.length > values.length) parent.lastElementChild.remove();
  values.forEach((value, place) => {
    if (place >= parent.children.length) parent.append(makeOne());
    changeOne(parent.children[place], value);
  });
}
