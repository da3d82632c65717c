// The idle lock. Counts the time without input, warns, then covers the page and asks the server to take its texts away.
// All pages of this app in one browser share the time of the last input: a reader works in one of them.

const locks = new WeakMap();
const STORE = "xray-last-input";
const TICK_MS = 500;
const APART_MS = 400;
const INPUTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

class Lock {
  constructor() {
    this.locked = false;
    this.isFresh = true;
    this.own = 0;
    this.buildCover();
    this.buildWarning();
    this.onInput = (event) => this.input(event);
    this.onWake = () => this.tick();
    for (const name of INPUTS) window.addEventListener(name, this.onInput, { capture: true, passive: name !== "keydown" });
    document.addEventListener("visibilitychange", this.onWake);
    this.timer = setInterval(this.onWake, TICK_MS);
    this.record();
  }

  buildCover() {
    this.cover = document.createElement("div");
    this.cover.className = "xray-lock";
    this.cover.setAttribute("role", "dialog");
    this.cover.setAttribute("aria-modal", "true");
    this.cover.hidden = true;
    const box = document.createElement("div");
    this.title = document.createElement("h1");
    this.title.id = "xray-lock-title";
    this.cover.setAttribute("aria-labelledby", this.title.id);
    this.told = document.createElement("p");
    this.kept = document.createElement("p");
    this.unlock = document.createElement("button");
    this.unlock.type = "button";
    this.unlock.addEventListener("click", () => this.open());
    box.append(this.title, this.told, this.kept, this.unlock);
    this.cover.append(box);
  }

  buildWarning() {
    this.warning = document.createElement("div");
    this.warning.className = "xray-lock-soon";
    this.warning.setAttribute("role", "status");
    this.warning.hidden = true;
    this.count = document.createElement("span");
    this.stay = document.createElement("button");
    this.stay.type = "button";
    this.warning.append(this.count, this.stay);
  }

  update({ data, setStateValue }) {
    this.data = data;
    this.tell = (locked) => setStateValue("locked", locked);
    this.title.textContent = data.words.title;
    this.told.textContent = data.words.told;
    this.kept.textContent = data.words.kept;
    this.unlock.textContent = data.words.unlock;
    this.stay.textContent = data.words.stay;
    for (const part of [this.cover, this.warning]) if (!part.isConnected) document.body.append(part);
    if (data.locked && this.isFresh) this.shut(); // drawn anew while the server holds it shut
    this.isFresh = false;
  }

  // Where the browser keeps nothing (private windows), the page counts for itself.
  last() {
    try {
      return Math.max(this.own, Number(localStorage.getItem(STORE)) || 0);
    } catch {
      return this.own;
    }
  }

  record() {
    this.own = Date.now();
    try {
      localStorage.setItem(STORE, String(this.own));
    } catch { /* counted in this page alone */ }
  }

  idleSeconds() { return Math.max(0, (Date.now() - this.last()) / 1000); }

  input(event) {
    if (this.locked) {
      if (event.type === "keydown") this.keepFocus(event);
      return;
    }
    // A machine that slept has told of no time passing: its first input must not open what should be locked.
    if (this.data && this.idleSeconds() >= this.data.seconds) this.shut();
    else if (Date.now() - this.own > 250) {
      this.record();
      this.warning.hidden = true;
    }
  }

  // Nothing behind the cover may be reached by key: neither a field nor a shortcut of the page.
  keepFocus(event) {
    event.stopPropagation();
    if (event.key === "Tab") {
      event.preventDefault();
      this.unlock.focus();
    }
  }

  tick() {
    if (this.locked || !this.data) return;
    const left = this.data.seconds - this.idleSeconds();
    if (left <= 0) {
      this.shut();
      return;
    }
    const soon = left <= this.data.warning;
    if (soon) this.count.textContent = this.data.words.soon.replace("{seconds}", String(Math.ceil(left)));
    this.warning.hidden = !soon;
  }

  shut() {
    this.locked = true;
    this.warning.hidden = true;
    this.cover.hidden = false;
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    document.activeElement?.blur?.(); // the editor sends what was typed when it loses the focus
    this.unlock.focus();
    // Apart from that, because what is sent in one moment reruns the editor alone, and the page would keep its texts.
    setTimeout(() => { if (this.locked) this.tell(true); }, APART_MS);
  }

  open() {
    if (this.data.signs_out) {
      location.reload();
      return;
    }
    this.record();
    this.locked = false;
    this.cover.hidden = true;
    this.tell(false);
  }

  stop() {
    clearInterval(this.timer);
    for (const name of INPUTS) window.removeEventListener(name, this.onInput, { capture: true });
    document.removeEventListener("visibilitychange", this.onWake);
    this.cover.remove();
    this.warning.remove();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  let lock = locks.get(parentElement);
  if (!lock) {
    lock = new Lock();
    locks.set(parentElement, lock);
  }
  lock.update({ data, setStateValue });
  return () => {
    lock.stop();
    locks.delete(parentElement);
  };
}
