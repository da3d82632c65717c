// One film as the server sends it (app/pixels.py): up to 16 bits a pixel, its windows, and the painting of them.

const HIDDEN = 0; // this value is padding or behind the shutter, and black whatever the window
const BLACK = 0xff000000; // RGBA in the order of a little-endian word

function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let place = 4 + length;
  let curve = null;
  if (header.curve) {
    curve = new Uint16Array(buffer.slice(place, place + 2 * header.values));
    place += 2 * header.values;
  }
  const size = header.width * header.height;
  const [low, high] = [new Uint8Array(buffer, place, size), new Uint8Array(buffer, place + size, size)];
  return { header, curve, values: restored(low, high, header.width, header.height) };
}

// Undo zigzag and the average predictor; Uint16Array keeps every sum modulo 65536.
function restored(low, high, width, height) {
  const values = new Uint16Array(width * height);
  for (let row = 0, place = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, place += 1) {
      const zigzag = low[place] | (high[place] << 8);
      const left = column > 0 ? values[place - 1] : 0;
      const above = row > 0 ? values[place - width] : 0;
      const predicted = row === 0 ? left : column === 0 ? above : (left + above) >> 1;
      values[place] = predicted + ((zigzag >>> 1) ^ -(zigzag & 1));
    }
  }
  return values;
}

// PS3.3 C.11.2.1.2 and C.11.2.1.3: from a modality value to a level, 0 = black to 1 = white.
function level(value, { center, width, function: kind }) {
  if (kind === "SIGMOID") return 1 / (1 + Math.exp((-4 * (value - center)) / width));
  const offset = kind === "LINEAR" ? 0.5 : 0;
  const span = width - 2 * offset;
  if (span <= 0) return value > center - offset ? 1 : 0;
  return Math.min(1, Math.max(0, (value - (center - offset)) / span + 0.5));
}

// One grey for each value. White and black change places last, after the window.
function greyTable({ header, curve }, window, inverted) {
  const table = new Uint32Array(65536).fill(BLACK);
  for (let value = HIDDEN + 1; value < header.values; value += 1) {
    const input = window.by_curve ? curve[value] / 65535 : value * header.slope + header.intercept;
    const shown = level(input, window);
    const grey = Math.floor((header.inverted !== inverted ? 1 - shown : shown) * 255 + 0.5);
    table[value] = BLACK | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

// One size of a film, and a canvas on which the part of it that is in sight is kept at the window in force.
class Level {
  constructor({ header, curve, values }) {
    Object.assign(this, { header, curve, values, painted: null });
    this.canvas = document.createElement("canvas");
    Object.assign(this.canvas, { width: header.width, height: header.height });
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(header.width, header.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  // `part` is { left, top, right, bottom } in pixels of this size; `version` tells one window from another.
  paint(part, window, inverted, version) {
    const done = this.painted;
    const isIn = done && part.left >= done.left && part.top >= done.top && part.right <= done.right && part.bottom <= done.bottom;
    if (isIn && done.version === version) return;
    if (this.tableOf !== version) {
      this.table = greyTable(this, window, inverted);
      this.tableOf = version;
    }
    const { values, pixels, table, header } = this;
    for (let row = part.top; row < part.bottom; row += 1) {
      const end = row * header.width + part.right;
      for (let place = row * header.width + part.left; place < end; place += 1) pixels[place] = table[values[place]];
    }
    this.context.putImageData(this.image, 0, 0, part.left, part.top, part.right - part.left, part.bottom - part.top);
    this.painted = { ...part, version };
  }
}

// One film from one source, the preview first and the full size when it is asked for.
class Picture {
  constructor(address, source, changed) {
    Object.assign(this, { address, source, changed, state: "empty", problem: null, preview: null, full: null, version: 0 });
    this.asked = new Set();
    this.fresh();
  }

  // How it is looked at: a look of its header, times its width, plus so many widths.
  fresh() { this.change({ look: { name: "whole", wider: 1, higher: 0 }, inverted: false }); }

  change(how) {
    Object.assign(this, how);
    this.version += 1;
  }

  get isFresh() { return this.look.name === "whole" && this.look.wider === 1 && this.look.higher === 0 && !this.inverted; }

  get header() { return (this.preview ?? this.full)?.header ?? null; }

  get isThere() { return this.header !== null; }

  // The window in force. A film may lack a look that another one has.
  window() {
    const { looks, slope } = this.header;
    const base = looks.find((look) => look.name === this.look.name) ?? looks[0];
    const least = base.by_curve ? 1e-3 : base.function === "LINEAR" ? Math.max(1, Math.abs(slope)) : Math.abs(slope);
    const width = Math.max(least, base.width * this.look.wider);
    return { ...base, width, center: base.center + this.look.higher * base.width };
  }

  async load(size) {
    if (this.asked.has(size)) return;
    this.asked.add(size);
    const address = this.address;
    if (!this.isThere) this.state = "loading";
    try {
      const answer = await fetch(`${address}/${this.source}/${size}`);
      if (answer.ok) this.take(unpack(await answer.arrayBuffer()));
      else this.refuse(size, answer.status, await answer.text(), address);
    } catch {
      this.refuse(size, 0, "", address);
    }
    this.changed(this);
  }

  take(film) {
    const isFull = film.header.width === film.header.columns;
    this[isFull ? "full" : "preview"] = new Level(film);
    Object.assign(this, { state: this.full ? "full" : "preview", problem: null });
  }

  refuse(size, status, code, address) {
    // What was refused is not asked for again by itself: every drawing of the film would.
    if (address !== this.address) this.again(size); // renewed meanwhile
    else if (status === 403) Object.assign(this, { expired: size, problem: { kind: "expired" } });
    else if (status === 422) this.fail({ kind: "not_shown", code });
    else this.fail({ kind: status === 404 ? "no_film" : "no_answer" });
  }

  fail(problem) {
    this.problem = problem;
    if (!this.isThere) this.state = "problem";
  }

  // A later address of the same film: ask again for what an expired one did not give.
  renew(address) {
    if (address === this.address) return;
    this.address = address;
    if (this.expired) this.again(this.expired);
  }

  again(size) {
    Object.assign(this, { expired: null, problem: null });
    this.asked.delete(size);
    this.load(size);
  }

  // What the reader asks for after a failure.
  retry() {
    if (!this.problem) return;
    this.problem = null;
    this.asked.clear();
    this.load("preview");
  }

  // Return the size to draw from, with `part` of the film, in shares of its sides, at the window in force.
  painted(part, isFine) {
    if (isFine && !this.full) this.load("full");
    const level = (isFine && this.full) || this.preview || this.full;
    const { width, height } = level.header;
    const pixels = {
      left: Math.max(0, Math.floor(part.left * width)), top: Math.max(0, Math.floor(part.top * height)),
      right: Math.min(width, Math.ceil(part.right * width)), bottom: Math.min(height, Math.ceil(part.bottom * height)),
    };
    level.paint(pixels, this.window(), this.inverted, this.version);
    return level.canvas;
  }
}
