// A place for one film: what is drawn in it and what the pointer does there.

const OPPOSITE = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };
const MOST_ZOOM = 16;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const rounded = (value) => (Math.abs(value) < 10 ? Number(value.toPrecision(2)) : Math.round(value));

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

class Panel {
  constructor(film, viewer) {
    Object.assign(this, { film, viewer, rulers: [], view: { zoom: 1, x: 0.5, y: 0.5 } });
    this.pictures = {};
    this.take(film);
    this.source = film.sources.includes(viewer.preferred) ? viewer.preferred : film.sources[0];
    this.build();
  }

  take(film) {
    this.film = film;
    for (const source of film.sources) {
      this.pictures[source] ??= new Picture(film.address, source, (picture) => this.changed(picture));
    }
  }

  get picture() { return this.pictures[this.source]; }

  build() {
    const words = this.viewer.words;
    this.canvas = element("canvas", { tabIndex: 0, role: "img" });
    this.canvas.setAttribute("role", "img");
    this.alone = element("button", { type: "button", className: "caption", textContent: this.film.label, title: words.alone });
    this.switch = element("button", { type: "button", className: "source", title: words.switch_source });
    this.readout = element("span", { className: "readout" });
    this.message = element("p", { className: "message" });
    this.message.setAttribute("role", "status");
    this.edges = ["left", "right"].map((edge) => {
      const mark = element("span", { className: "side" });
      mark.dataset.edge = edge;
      return mark;
    });
    const top = element("div", { className: "top" }, this.alone, this.switch);
    this.box = element("figure", {}, this.canvas, top, ...this.edges, this.readout, this.message);
    this.listen();
  }

  listen() {
    this.alone.addEventListener("click", () => this.viewer.showAlone(this));
    this.switch.addEventListener("click", () => this.viewer.switchSource(this));
    this.canvas.addEventListener("dblclick", () => this.viewer.showAlone(this));
    this.canvas.addEventListener("focus", () => this.viewer.activate(this));
    this.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => this.grab(event));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => this.release());
  }

  start() { if (!this.box.hidden) this.picture.load("preview"); }

  changed(picture) {
    if (picture.expired) this.viewer.askForAddresses();
    if (picture === this.picture) this.viewer.redraw();
    if (picture === this.picture) this.viewer.drawTools();
  }

  show(source) {
    this.source = source;
    this.rulers = [];
    this.picture.load("preview");
  }

  // The same film with a later address, and perhaps with its original, which is shown unless the reader is at work.
  renew(film) {
    const isTouched = this.view.zoom !== 1 || this.rulers.length > 0 || !this.picture.isFresh;
    this.take(film);
    for (const picture of Object.values(this.pictures)) picture.renew(film.address);
    if (!isTouched && film.sources.includes(this.viewer.preferred) && this.source !== this.viewer.preferred) {
      this.show(this.viewer.preferred);
    }
  }

  reset() {
    this.view = { zoom: 1, x: 0.5, y: 0.5 };
    this.rulers = [];
    for (const picture of Object.values(this.pictures)) picture.fresh();
    this.picture.retry();
  }

  // -- geometry: the film in CSS pixels of the panel --------------------------

  place() {
    const { columns, rows, aspect } = this.picture.header;
    const [across, down] = [columns * Math.max(1 / aspect, 1), rows * Math.max(aspect, 1)]; // with square pixels
    const { clientWidth: width, clientHeight: height } = this.box;
    const scale = Math.min(width / across, height / down) * this.view.zoom;
    const size = { width: across * scale, height: down * scale };
    return { ...size, left: width / 2 - this.view.x * size.width, top: height / 2 - this.view.y * size.height };
  }

  onFilm(x, y) {
    const { left, top, width, height } = this.place();
    const { columns, rows } = this.picture.header;
    return { x: ((x - left) / width) * columns, y: ((y - top) / height) * rows };
  }

  onPanel({ x, y }) {
    const { left, top, width, height } = this.place();
    const { columns, rows } = this.picture.header;
    return { x: left + (x / columns) * width, y: top + (y / rows) * height };
  }

  zoomAt(x, y, factor) {
    const before = this.place();
    const zoom = clamp(this.view.zoom * factor, 1, MOST_ZOOM);
    const ratio = zoom / this.view.zoom;
    const { clientWidth: width, clientHeight: height } = this.box;
    const left = x - (x - before.left) * ratio, top = y - (y - before.top) * ratio;
    const view = { zoom, x: (width / 2 - left) / (before.width * ratio), y: (height / 2 - top) / (before.height * ratio) };
    this.viewer.setView(this, zoom === 1 ? { zoom, x: 0.5, y: 0.5 } : view);
  }

  // -- pointer ----------------------------------------------------------------

  at(event) {
    const frame = this.box.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  wheel(event) {
    event.preventDefault();
    this.viewer.activate(this);
    if (this.picture.isThere) this.zoomAt(...this.at(event), Math.exp(-event.deltaY / 500));
  }

  grab(event) {
    this.viewer.activate(this);
    if (!this.picture.isThere || event.button === 2) return;
    if (event.button === 1) event.preventDefault(); // no automatic scrolling
    this.canvas.setPointerCapture(event.pointerId);
    const pans = event.shiftKey || event.button === 1;
    this.held = { does: pans ? "pan" : this.viewer.measuring ? "measure" : "window", last: this.at(event) };
    if (this.held.does === "measure") {
      const start = this.onFilm(...this.held.last);
      this.rulers.push([start, start]);
    }
  }

  drag(event) {
    if (!this.held) return;
    const [x, y] = this.at(event);
    const [dx, dy] = [x - this.held.last[0], y - this.held.last[1]];
    this.held.last = [x, y];
    if (this.held.does === "pan") this.pan(dx, dy);
    else if (this.held.does === "window") this.adjust(dx, dy);
    else this.rulers.at(-1)[1] = this.onFilm(x, y);
    this.viewer.redraw();
  }

  release() {
    if (this.held?.does === "measure") {
      const [from, to] = this.rulers.at(-1);
      if (Math.hypot(from.x - to.x, from.y - to.y) < 1) this.rulers.pop();
      else this.viewer.tell(this.length(from, to).join(" "));
      this.viewer.redraw();
    }
    this.held = null;
  }

  pan(dx, dy) {
    const { width, height } = this.place();
    const { zoom, x, y } = this.view;
    this.viewer.setView(this, { zoom, x: clamp(x - dx / width, 0, 1), y: clamp(y - dy / height, 0, 1) });
  }

  // Upwards is brighter on every film, also where low values are white.
  adjust(dx, dy) {
    const { look, header } = this.picture;
    const up = header.inverted ? -1 : 1;
    const wider = clamp(look.wider * Math.exp(dx / 250), 1e-3, 50);
    this.viewer.setLook(this, { ...look, wider, higher: clamp(look.higher + (up * dy * look.wider) / 400, -3, 3) });
  }

  // -- ruler ------------------------------------------------------------------

  length(from, to) {
    const { spacing } = this.picture.header;
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    if (!spacing) return [`${Math.hypot(dx, dy).toFixed(0)} px`, this.viewer.words.planes[""]];
    const millimetres = Math.hypot(dx * spacing.column_mm, dy * spacing.row_mm);
    return [`${millimetres.toFixed(1)} mm`, this.viewer.words.planes[spacing.plane]];
  }

  // -- drawing ----------------------------------------------------------------

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    this.drawTexts();
    if (!this.picture.isThere || width === 0 || height === 0) return;
    const place = this.place();
    const inSight = {
      left: -place.left / place.width, right: (width - place.left) / place.width,
      top: -place.top / place.height, bottom: (height - place.top) / place.height,
    };
    const isCoarse = place.width * ratio > this.picture.header.width;
    const film = this.picture.painted(inSight, this.view.zoom > 1 || isCoarse);
    const brush = this.canvas.getContext("2d");
    brush.scale(ratio, ratio);
    brush.imageSmoothingQuality = "high";
    brush.drawImage(film, place.left, place.top, place.width, place.height);
    for (const ruler of this.rulers) this.drawRuler(brush, ruler);
  }

  drawRuler(brush, ruler) {
    const [from, to] = ruler.map((end) => this.onPanel(end));
    const slope = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const [nx, ny] = [(-5 * (to.y - from.y)) / slope, (5 * (to.x - from.x)) / slope];
    for (const [colour, width] of [["#000", 4], ["#ffe14d", 2]]) {
      Object.assign(brush, { strokeStyle: colour, lineWidth: width });
      brush.beginPath();
      brush.moveTo(from.x, from.y);
      brush.lineTo(to.x, to.y);
      for (const end of [from, to]) {
        brush.moveTo(end.x - nx, end.y - ny);
        brush.lineTo(end.x + nx, end.y + ny);
      }
      brush.stroke();
    }
    const [text, plane] = this.length(...ruler);
    for (const [line, font, dy] of [[text, "600 15px sans-serif", 0], [plane, "12px sans-serif", 16]]) {
      Object.assign(brush, { font, lineWidth: 3, strokeStyle: "#000", fillStyle: "#ffe14d" });
      const x = clamp(to.x + 8, 4, Math.max(4, this.box.clientWidth - brush.measureText(line).width - 4));
      const y = clamp(to.y + 16, 16, this.box.clientHeight - 40) + dy;
      brush.strokeText(line, x, y);
      brush.fillText(line, x, y);
    }
  }

  drawTexts() {
    const { words } = this.viewer;
    const { picture, film } = this;
    const several = film.sources.length > 1;
    this.box.dataset.state = picture.problem && !picture.isThere ? "problem" : picture.state;
    this.box.dataset.source = this.source;
    this.switch.textContent = words.sources[this.source] + (several ? " ⇄" : film.searching ? " …" : "");
    this.switch.title = several ? words.switch_source : film.searching ? words.searching : "";
    this.switch.disabled = !several;
    this.canvas.setAttribute("aria-label", `${film.label}, ${words.sources[this.source]}`);
    this.message.textContent = picture.problem ? filled(words[picture.problem.kind], picture.problem)
      : picture.isThere ? "" : words.loading;
    const [across] = picture.header?.orientation ?? [];
    const sides = { left: [...(across ?? "")].map((letter) => OPPOSITE[letter]).join(""), right: across };
    for (const mark of this.edges) mark.textContent = sides[mark.dataset.edge] ?? "";
    this.readout.textContent = picture.isThere ? this.reading() : "";
  }

  reading() {
    const { words } = this.viewer;
    const { center, width, by_curve: byCurve } = this.picture.window();
    const [c, w] = byCurve ? [`${rounded(100 * center)}%`, `${rounded(100 * width)}%`] : [rounded(center), rounded(width)];
    const zoom = filled(words.zoom, { percent: Math.round(100 * this.view.zoom) });
    return `${byCurve ? "VOI LUT · " : ""}${filled(words.window, { center: c, width: w })} · ${zoom}`;
  }
}
