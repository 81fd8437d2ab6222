// Elements of the page. What comes from the run goes in as text, never as HTML.

const byId = (id) => document.getElementById(id);

/** make("span", { class: "name", title: "..." }, "text", child, ...); on... is a listener, null children are none. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (name.startsWith("aria-")) {
      element.setAttribute(name, value);
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Puts children, of which some may be null, in the place of an element's. */
function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null));
}

/** Renders a pane anew; what had the focus in it is given it again, or the pane where that has gone. */
function keepFocus(pane, render) {
  const active = document.activeElement;
  if (!pane.contains(active)) {
    render();
    return;
  }
  const known = ["id", "data-view", "data-to", "data-value"].find((name) => active.hasAttribute(name));
  const selector = active.tagName + (known === undefined ? "" : "[" + known + "=\"" + CSS.escape(active.getAttribute(known)) + "\"]");
  render();
  (pane.querySelector(selector) || pane).focus({ preventScroll: true });
}

const styleOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Gives a canvas the pixels of its box on this screen, and a context in units of CSS pixels. */
function prepareCanvas(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.imageSmoothingEnabled = false;
  return context;
}
