// The films of one study, side by side on black. 8-bit pictures as the model saw them; never mirrored or rotated.
// Wheel zooms at the pointer, dragging sets brightness and contrast, Shift-dragging pans, a double click resets;
// a click on a film's label shows that film alone.

const viewers = new WeakMap();
const FRESH = { zoom: 1, x: 0, y: 0, brightness: 1, contrast: 1 };
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class Film {
  constructor({ url, label }, words, viewer) {
    this.viewer = viewer;
    this.box = document.createElement("figure");
    this.image = document.createElement("img");
    this.image.src = url;
    this.image.alt = label;
    this.image.draggable = false;
    this.image.addEventListener("error", () => { this.box.dataset.problem = words.no_film; });
    const caption = document.createElement("button");
    caption.type = "button";
    caption.className = "caption";
    caption.textContent = label;
    caption.title = words.alone;
    caption.addEventListener("click", () => viewer.alone(this));
    this.box.append(this.image, caption);
    this.box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.box.addEventListener("pointerdown", (event) => this.grab(event));
    this.box.addEventListener("pointermove", (event) => this.drag(event));
    this.box.addEventListener("dblclick", () => this.reset());
    this.reset();
  }

  reset() {
    this.look = { ...FRESH };
    this.draw();
  }

  wheel(event) {
    event.preventDefault();
    const frame = this.box.getBoundingClientRect();
    const [px, py] = [event.clientX - frame.left - frame.width / 2, event.clientY - frame.top - frame.height / 2];
    const zoom = clamp(this.look.zoom * Math.exp(-event.deltaY / 500), 1, 12);
    const ratio = zoom / this.look.zoom;
    this.look = { ...this.look, zoom, x: px - (px - this.look.x) * ratio, y: py - (py - this.look.y) * ratio };
    if (zoom === 1) this.look = { ...this.look, x: 0, y: 0 };
    this.draw();
  }

  grab(event) {
    if (event.target !== this.image) return;
    this.box.setPointerCapture(event.pointerId);
    this.last = [event.clientX, event.clientY];
  }

  drag(event) {
    if (!event.buttons || !this.last) return;
    const [dx, dy] = [event.clientX - this.last[0], event.clientY - this.last[1]];
    this.last = [event.clientX, event.clientY];
    if (event.shiftKey || event.buttons & 4) {
      this.look = { ...this.look, x: this.look.x + dx, y: this.look.y + dy };
    } else {
      const contrast = clamp(this.look.contrast * Math.exp(dx / 250), 0.2, 8);
      const brightness = clamp(this.look.brightness * Math.exp(-dy / 250), 0.2, 5);
      this.look = { ...this.look, contrast, brightness };
    }
    this.draw();
  }

  draw() {
    const { zoom, x, y, brightness, contrast } = this.look;
    this.image.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
    this.image.style.filter = `brightness(${brightness}) contrast(${contrast}) invert(${this.viewer.inverted ? 1 : 0})`;
  }
}

class Viewer {
  constructor(root) {
    this.root = root;
    this.inverted = false;
    this.shown = "";
    this.films = [];
    root.querySelector(".invert").addEventListener("click", () => this.invert());
    root.querySelector(".reset").addEventListener("click", () => this.reset());
    this.onKey = (event) => {
      const target = event.composedPath()[0];
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
      if (event.key.toLowerCase() === "i") this.invert();
      else if (event.key === "0") this.reset();
    };
    document.addEventListener("keydown", this.onKey);
  }

  stop() { document.removeEventListener("keydown", this.onKey); }

  invert() {
    this.inverted = !this.inverted;
    this.root.querySelector(".invert").setAttribute("aria-pressed", String(this.inverted));
    for (const film of this.films) film.draw();
  }

  alone(chosen) {
    const others = this.films.filter((film) => film !== chosen);
    const hide = others.some((film) => !film.box.hidden);
    for (const film of others) film.box.hidden = hide;
  }

  reset() {
    for (const film of this.films) film.box.hidden = false;
    if (this.inverted) this.invert();
    for (const film of this.films) film.reset();
  }

  update({ films, words }) {
    const texts = { ".help": words.film_help, ".note": words.display_note, ".invert": `${words.invert} I`, ".reset": `${words.reset} 0` };
    for (const [name, text] of Object.entries(texts)) this.root.querySelector(name).textContent = text;
    const wanted = JSON.stringify(films);
    if (wanted === this.shown) return;
    this.shown = wanted;
    this.films = films.map((film) => new Film(film, words, this));
    const row = this.root.querySelector(".films");
    row.replaceChildren(...this.films.map((film) => film.box));
    if (films.length === 0) row.dataset.problem = words.no_film;
    else delete row.dataset.problem;
  }
}

export default function ({ data, parentElement }) {
  let viewer = viewers.get(parentElement);
  if (!viewer) {
    viewer = new Viewer(parentElement);
    viewers.set(parentElement, viewer);
  }
  viewer.update(data);
  return () => {
    viewer.stop();
    viewers.delete(parentElement);
  };
}
