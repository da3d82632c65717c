// Making elements. Texts enter as text alone: what a report says is never read as markup.

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") element.textContent = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function button(text, act, attributes = {}) {
  return make("button", { type: "button", text, onclick: act, ...attributes });
}

// A button with its key beside it, for those who have not learnt the keys yet.
export function keyed(text, key, act, attributes = {}) {
  const made = button(text, act, attributes);
  made.append(make("kbd", { text: key, "aria-hidden": "true" }));
  return made;
}

export function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

export function setValue(field, text) {
  if (field.value !== text) field.value = text;
}

export function pressed(element, is) {
  element.setAttribute(element.getAttribute("role") === "radio" ? "aria-checked" : "aria-pressed", String(is));
}
