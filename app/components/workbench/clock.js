// How long the reader worked: active while the page is visible and was used in the last minute, idle otherwise.

const ACTIVE_MS = 60_000;
const USES = ["keydown", "pointerdown", "pointermove", "wheel"];

export class Clock {
  constructor() {
    this.onUse = (event) => this.used(event);
    this.onShow = () => this.settle();
    for (const name of USES) window.addEventListener(name, this.onUse, { capture: true, passive: true });
    document.addEventListener("visibilitychange", this.onShow);
    this.start({});
  }

  stop() {
    for (const name of USES) window.removeEventListener(name, this.onUse, { capture: true });
    document.removeEventListener("visibilitychange", this.onShow);
  }

  // Begin with a case whose reader has worked on it before for the times in `before`.
  start(before) {
    const now = new Date().toISOString();
    this.times = { active_ms: 0, idle_ms: 0, viewer_ms: 0, edits: 0, ...before, first_view: before.first_view ?? now };
    this.lastUse = this.settled = performance.now();
    this.visible = !document.hidden;
    this.atFilms = false;
  }

  used(event) {
    this.settle();
    this.lastUse = this.settled;
    this.atFilms = event.composedPath().some((node) => node.classList?.contains("st-key-viewer"));
  }

  // Count the time since the last call: active up to a minute after the last use.
  settle() {
    const now = performance.now();
    const active = this.visible ? Math.max(0, Math.min(now, this.lastUse + ACTIVE_MS) - this.settled) : 0;
    this.times.active_ms += active;
    this.times.idle_ms += now - this.settled - active;
    if (this.atFilms) this.times.viewer_ms += active;
    this.settled = now;
    this.visible = !document.hidden;
  }

  edited(isNew) {
    const now = new Date().toISOString();
    this.times.first_key ??= now;
    this.times.last_key = now;
    if (isNew) this.times.edits += 1;
  }

  read() {
    this.settle();
    const whole = ["active_ms", "idle_ms", "viewer_ms"].map((name) => [name, Math.round(this.times[name])]);
    return { ...this.times, ...Object.fromEntries(whole) };
  }
}
