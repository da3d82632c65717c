// The films of one study, side by side on black, with the prior film where one is known. Never mirrored or rotated.
// This file follows viewer_film.js and viewer_panel.js in one module (app/components/__init__.py).

const viewers = new WeakMap();
const LOOKS = ["whole", "lungs", "mediastinum", "bones", "raw"];
const SEARCH_MS = 15_000; // the folder of original films is still being read: ask again
const token = (address) => address.split("/")[2];

class Viewer {
  constructor(root) {
    Object.assign(this, { root, panels: [], shown: "", preferred: "original", linked: false, measuring: false, priors: false });
    this.box = root.querySelector(".viewer");
    this.row = root.querySelector(".films");
    this.help = root.querySelector("dialog");
    this.ahead = new Set();
    this.looks = LOOKS.map((name, index) => this.button(".looks", String(index + 1), () => this.setPreset(name)));
    const tools = {
      invert: ["I", () => this.invert()], link: ["L", () => this.link()], measure: ["M", () => this.measure()],
      prior: ["P", () => this.togglePriors()], fill: ["F", () => this.fill()], reset: ["0", () => this.reset()],
      keys: ["?", () => this.showHelp()],
    };
    this.keys = Object.fromEntries(Object.values(tools).map(([key, does]) => [key.toLowerCase(), does]));
    this.tools = Object.fromEntries(Object.entries(tools).map(([name, [key, does]]) => [name, this.button(".tools", key, does)]));
    root.querySelector(".close").addEventListener("click", () => this.help.close());
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.watch = new ResizeObserver(() => this.redraw());
    this.watch.observe(this.row);
  }

  stop() {
    clearTimeout(this.later);
    document.removeEventListener("keydown", this.onKey);
    this.watch.disconnect();
  }

  button(group, key, does) {
    const made = element("button", { type: "button" }, element("span"), element("kbd", { textContent: key }));
    made.dataset.key = key;
    made.addEventListener("click", does);
    this.root.querySelector(group).append(made);
    return made;
  }

  // -- what the server says ---------------------------------------------------

  update({ films, ahead, words }, send) {
    Object.assign(this, { words, send });
    const wanted = JSON.stringify([words.films, films.map(({ address, label }) => [token(address), label])]);
    if (wanted !== this.shown) this.build(films);
    else this.panels.forEach((panel, index) => panel.renew(films[index]));
    this.shown = wanted;
    this.upcoming = ahead;
    clearTimeout(this.later);
    if (films.some((film) => film.searching)) this.later = setTimeout(() => this.send("renew", Date.now()), SEARCH_MS);
    this.drawWords();
    this.redraw();
  }

  build(films) {
    this.panels = films.map((film) => new Panel(film, this));
    this.row.replaceChildren(...this.panels.map((panel) => panel.box));
    if (films.length === 0) this.row.dataset.problem = this.words.no_film;
    else delete this.row.dataset.problem;
    this.active = this.panels[0];
    this.single = null;
    this.measuring = false;
    this.asking = false;
    this.arrange();
  }

  askForAddresses() {
    if (this.asking) return;
    this.asking = true; // once for each film set that is shown; the next answer may bring the same addresses
    this.send("renew", Date.now());
    setTimeout(() => { this.asking = false; }, 5000);
  }

  // Fetch the next case's films into the browser's cache, once these are there.
  fetchAhead() {
    if (this.panels.some((panel) => !panel.box.hidden && ["empty", "loading"].includes(panel.picture.state))) return;
    for (const { address, sources } of this.upcoming ?? []) {
      if (this.ahead.has(address)) continue;
      this.ahead.add(address);
      const source = sources.includes(this.preferred) ? this.preferred : sources[0];
      fetch(`${address}/${source}/preview`, { priority: "low" }).then((answer) => answer.arrayBuffer()).catch(() => {});
    }
  }

  // -- what the reader does ---------------------------------------------------

  key(event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    if (path[0].isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(path[0].tagName)) return;
    if (path.some((part) => part.dataset?.keys === "own" || part.tagName === "DIALOG") || this.help.open || this.panels.length === 0) return;
    const look = LOOKS[Number(event.key) - 1];
    const does = look ? () => this.setPreset(look) : this.keyAction(event.key);
    if (!does) return;
    event.preventDefault();
    does();
  }

  keyAction(key) {
    if (key === "+" || key === "=") return () => this.zoomBy(1.25);
    if (key === "-") return () => this.zoomBy(0.8);
    if (key === "Escape" && this.active.rulers.length > 0) return () => this.clearRulers();
    return this.keys[key.toLowerCase()];
  }

  // A workbench on the same page answers with a help that names the keys of both.
  showHelp() {
    const isAlone = window.dispatchEvent(new CustomEvent("xray-help", { cancelable: true }));
    if (isAlone) this.help.showModal();
  }

  get visible() { return this.panels.filter((panel) => !panel.box.hidden); }

  group(panel) { return this.linked ? this.visible : [panel]; }

  activate(panel) {
    if (this.active === panel) return;
    this.active = panel;
    this.drawTools();
  }

  setView(panel, view) {
    for (const other of this.group(panel)) other.view = view;
    this.redraw();
  }

  setLook(panel, look) {
    for (const { picture } of this.group(panel)) picture.change({ look });
    this.drawTools();
    this.redraw();
  }

  setPreset(name) { this.setLook(this.active, { name, wider: 1, higher: 0 }); }

  invert() {
    const inverted = !this.active.picture.inverted;
    for (const { picture } of this.group(this.active)) picture.change({ inverted });
    this.drawTools();
    this.redraw();
  }

  link() {
    this.linked = !this.linked;
    if (this.linked) {
      this.setView(this.active, this.active.view);
      this.setLook(this.active, this.active.picture.look);
    }
    this.drawTools();
  }

  measure() {
    this.measuring = !this.measuring;
    this.drawTools();
  }

  clearRulers() {
    for (const panel of this.panels) panel.rulers = [];
    this.redraw();
  }

  zoomBy(factor) {
    if (!this.active.picture.isThere) return;
    this.active.zoomAt(this.active.box.clientWidth / 2, this.active.box.clientHeight / 2, factor);
  }

  fill() {
    if (this.active.view.zoom > 1) this.setView(this.active, { zoom: 1, x: 0.5, y: 0.5 });
    else if (document.fullscreenElement) document.exitFullscreen();
    else this.box.requestFullscreen().catch(() => {}); // a browser may refuse it
  }

  reset() {
    for (const panel of this.panels) panel.reset();
    [this.single, this.measuring] = [null, false];
    this.arrange();
  }

  togglePriors() {
    if (!this.panels.some((panel) => panel.film.prior)) return;
    this.priors = !this.priors;
    this.arrange();
  }

  showAlone(panel) {
    this.activate(panel);
    this.single = this.single ? null : panel;
    this.arrange();
  }

  switchSource(panel) {
    const [first, second] = panel.film.sources;
    this.preferred = panel.source === first ? second : first;
    for (const other of this.panels) if (other.film.sources.includes(this.preferred)) other.show(this.preferred);
    this.drawTools();
    this.redraw();
  }

  // -- what is drawn ----------------------------------------------------------

  arrange() {
    for (const panel of this.panels) {
      panel.box.hidden = (this.single && panel !== this.single) || (panel.film.prior && !this.priors && panel !== this.single);
      panel.start();
    }
    if (this.active?.box.hidden) this.active = this.visible[0];
    this.drawTools();
    this.redraw();
  }

  tell(text) { this.root.querySelector(".measured").textContent = text; }

  drawWords() {
    const { words } = this;
    const texts = { ".note": words.display_note, "dialog h4": words.keys, "dialog .close": words.close };
    for (const [name, text] of Object.entries(texts)) this.root.querySelector(name).textContent = text;
    this.looks.forEach((button, index) => { button.firstChild.textContent = words.looks[LOOKS[index]]; });
    for (const [name, button] of Object.entries(this.tools)) {
      button.firstChild.textContent = name === "keys" ? "" : words[name];
      button.setAttribute("aria-label", `${words[name]} ${button.dataset.key}`);
    }
    const rows = words.help.flatMap(([key, text]) => [element("dt", { textContent: key }), element("dd", { textContent: text })]);
    this.root.querySelector("dl").replaceChildren(...rows);
    this.drawTools();
  }

  drawTools() {
    const pressed = (button, is) => button.setAttribute("aria-pressed", String(Boolean(is)));
    const { look, inverted, header } = this.active?.picture ?? {};
    this.looks.forEach((button, index) => {
      pressed(button, look?.name === LOOKS[index] && look.wider === 1 && look.higher === 0);
      button.disabled = Boolean(header) && !header.looks.some(({ name }) => name === LOOKS[index]);
    });
    const { tools } = this;
    pressed(tools.invert, inverted);
    pressed(tools.link, this.linked);
    pressed(tools.measure, this.measuring);
    pressed(tools.prior, this.priors);
    tools.prior.hidden = !this.panels.some((panel) => panel.film.prior);
    tools.link.hidden = this.panels.length < 2;
    this.box.toggleAttribute("data-measuring", this.measuring);
    this.row.toggleAttribute("data-several", this.visible.length > 1);
    for (const panel of this.panels) panel.box.toggleAttribute("data-active", panel === this.active);
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      for (const panel of this.visible) panel.draw();
      this.fetchAhead();
    });
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let viewer = viewers.get(parentElement);
  if (!viewer) {
    viewer = new Viewer(parentElement);
    viewers.set(parentElement, viewer);
  }
  viewer.update(data, setTriggerValue);
  return () => {
    viewer.stop();
    viewers.delete(parentElement);
  };
}
