// The reviewer's verdict, comment and corrected text. Nothing typed may be lost:
//   1. every change goes to localStorage at once, before anything else;
//   2. after a short pause the page sends all unsaved drafts, of whatever run and case, to the server;
//   3. the server acknowledges after COMMIT, and only then the local copy is removed;
//   4. while a draft is unacknowledged it is sent again every few seconds, also by a later page.
// A draft names its page, the pages whose text it took over, and the revision it was typed on; the server finds repeats
// and conflicts. It also names the generated text that its verdict judged: only a new verdict judges a newer text.

const DEBOUNCE_MS = 600;
const RESEND_MS = 3000;
const OFFLINE_MS = 5000;
const VERDICT_KEYS = { a: "accept", e: "edit", x: "reject" };

const memory = new Map(); // used where the browser forbids localStorage
const editors = new WeakMap();

const storage = {
  keys(prefix) {
    const keys = [...memory.keys()];
    try { for (let i = 0; i < localStorage.length; i++) keys.push(localStorage.key(i)); } catch { /* forbidden */ }
    return keys.filter((key) => key.startsWith(prefix));
  },
  get(key) {
    try { return JSON.parse(memory.get(key) ?? localStorage.getItem(key)); } catch { return null; }
  },
  set(key, value) {
    const text = JSON.stringify(value);
    try { localStorage.setItem(key, text); memory.delete(key); } catch { memory.set(key, text); }
  },
  remove(key) {
    memory.delete(key);
    try { localStorage.removeItem(key); } catch { /* forbidden */ }
  },
};

function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Editor {
  constructor(root) {
    this.root = root;
    this.client = randomName();
    this.sequence = 0;
    this.beat = 0;
    this.waitingSince = 0;
    this.composing = false;
    this.refused = new Map(); // storage key -> the other page's review
    this.find = (name) => root.querySelector(name);
    this.comment = this.find(".comment");
    this.corrected = this.find(".corrected");
    this.listen();
  }

  listen() {
    for (const area of [this.comment, this.corrected]) {
      area.addEventListener("input", () => this.changed());
      area.addEventListener("compositionstart", () => { this.composing = true; });
      area.addEventListener("compositionend", () => { this.composing = false; this.changed(); });
      area.addEventListener("blur", () => this.flush());
    }
    this.find(".copy").addEventListener("click", () => {
      if (this.corrected.value.trim() === "") this.corrected.value = this.data.generated;
      this.changed();
      this.corrected.focus();
    });
    this.find(".keep").addEventListener("click", () => this.resolve(true));
    this.find(".take").addEventListener("click", () => this.resolve(false));
    this.onKey = (event) => this.pressed(event);
    this.onHide = () => this.flush();
    document.addEventListener("keydown", this.onKey);
    window.addEventListener("pagehide", this.onHide);
    this.timer = setInterval(() => this.tick(), RESEND_MS);
  }

  stop() {
    this.composing = false;
    this.flush();
    clearTimeout(this.pause);
    clearInterval(this.timer);
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener("pagehide", this.onHide);
  }

  prefix(run, caseId = null) {
    return `xray-review/${run}/${caseId === null ? "" : `${caseId}/`}`;
  }

  ownKey() { return this.prefix(this.data.run, this.caseId) + this.client; }

  // -- what the server says --------------------------------------------------

  update(data, send) {
    const moved = !this.data || this.data.case !== data.case || this.data.run !== data.run;
    if (moved && this.data) this.flush();
    this.data = data;
    this.send = send;
    document.documentElement.lang = data.words.html_language;
    if (moved) [this.caseId, this.waitingSince] = [data.case, 0];
    for (const ack of data.acks) this.acknowledged(ack);
    for (const refusal of data.refusals) this.wasRefused(refusal);
    if (moved) this.open();
    else if (!storage.get(this.ownKey()) && data.review.revision > this.base) this.show(data.review);
    this.draw();
  }

  open() {
    this.ancestors = [];
    this.show(this.data.review);
    const keys = storage.keys(this.prefix(this.data.run, this.caseId));
    const left = keys.map((key) => [key, storage.get(key)]).filter(([, draft]) => draft);
    left.sort((one, two) => two[1].typed_at - one[1].typed_at);
    if (left.length === 0) return;
    const [key, draft] = left[0]; // unsaved text of an earlier page: go on with it
    this.show({ ...draft, revision: draft.base_revision });
    if (key === this.ownKey()) { this.ancestors = draft.ancestors; return; }
    this.ancestors = [...draft.ancestors, [draft.client, draft.sequence]];
    if (this.refused.has(key)) this.refused.set(this.ownKey(), this.refused.get(key));
    this.keep();
    storage.remove(key);
    this.flush();
  }

  show(review) {
    this.base = review.revision;
    this.verdict = review.verdict;
    this.judged = review.generated_sha256;
    if (this.comment.value !== review.comment) this.comment.value = review.comment;
    if (this.corrected.value !== review.corrected) this.corrected.value = review.corrected;
    this.find(".correction").open = review.verdict === "edit" || review.corrected !== "";
  }

  acknowledged({ run, case: caseId, client, sequence, revision }) {
    const key = this.prefix(run, caseId) + client;
    const draft = storage.get(key);
    const own = key === this.ownKey();
    if (draft && draft.sequence <= sequence) storage.remove(key);
    else if (draft && own) storage.set(key, { ...draft, base_revision: Math.max(draft.base_revision, revision) });
    this.refused.delete(key);
    if (!own) return;
    this.waitingSince = 0;
    this.base = Math.max(this.base, revision); // not the latest revision: nobody has seen that one here
  }

  wasRefused({ run, case: caseId, client, sequence, review }) {
    const key = this.prefix(run, caseId) + client;
    const draft = storage.get(key);
    if (key === this.ownKey()) this.waitingSince = 0;
    if (draft && draft.sequence <= sequence) this.refused.set(key, review);
  }

  resolve(mine) {
    const other = this.refused.get(this.ownKey());
    if (!other) return;
    this.refused.delete(this.ownKey());
    if (mine) {
      this.base = other.revision;
      this.keep();
      this.flush();
    } else {
      storage.remove(this.ownKey());
      this.show(other);
    }
    this.draw();
  }

  // -- what the reader does --------------------------------------------------

  pressed(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (event.key === "Escape" && this.root.contains(target)) target.blur();
    if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    const key = event.key.toLowerCase();
    if (VERDICT_KEYS[key]) this.judge(VERDICT_KEYS[key]);
    else if (key === "d") { event.preventDefault(); this.comment.focus(); }
  }

  judge(verdict) {
    this.verdict = verdict;
    this.judged = this.data.generated_sha256;
    if (verdict === "edit") this.find(".correction").open = true;
    this.keep();
    this.flush();
    this.draw();
  }

  changed() {
    if (!this.verdict) this.judged = this.data.generated_sha256;
    this.keep();
    this.draw();
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.flush(), DEBOUNCE_MS);
  }

  keep() {
    this.sequence += 1;
    storage.set(this.ownKey(), {
      case: this.caseId,
      client: this.client,
      sequence: this.sequence,
      ancestors: this.ancestors,
      base_revision: this.base,
      verdict: this.verdict,
      comment: this.comment.value,
      corrected: this.corrected.value,
      generated_sha256: this.judged,
      typed_at: Date.now(),
    });
  }

  flush() {
    clearTimeout(this.pause);
    if (this.composing) return; // half a word of an input method is no text yet
    const drafts = this.data.runs.flatMap((run) => this.unsaved(run));
    if (drafts.length === 0) return;
    if (storage.get(this.ownKey())) this.waitingSince ||= Date.now();
    this.beat += 1;
    this.send("outbox", { beat: `${this.client}:${this.beat}`, drafts });
  }

  unsaved(run) {
    const keys = storage.keys(this.prefix(run)).filter((key) => !this.refused.has(key));
    return keys.map((key) => storage.get(key)).filter(Boolean).map((draft) => ({ ...draft, run }));
  }

  tick() {
    this.flush();
    this.draw();
  }

  // -- what the reader sees --------------------------------------------------

  draw() {
    const words = this.data.words;
    this.drawVerdicts(words);
    const texts = {
      ".comment-label": words.comment, ".corrected-label": words.corrected, ".copy": words.start_from_draft,
      ".keep": words.keep_mine, ".take": words.take_theirs, ".conflict-title": words.conflict, ".edited": words.edited_badge,
    };
    for (const [name, text] of Object.entries(texts)) this.find(name).textContent = text;
    this.comment.placeholder = words.comment_hint;
    this.corrected.placeholder = words.corrected_hint;
    this.find(".edited").hidden = this.corrected.value.trim() === "";
    this.find(".copy").hidden = this.corrected.value.trim() !== "" || this.data.generated === "";
    this.drawConflict(words);
    this.drawStatus(words);
  }

  drawVerdicts(words) {
    const group = this.find(".verdicts");
    group.setAttribute("aria-label", words.verdict);
    if (group.childElementCount === 0) {
      for (const [key, verdict] of Object.entries(VERDICT_KEYS)) {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.verdict = verdict;
        button.dataset.key = key.toUpperCase();
        button.setAttribute("role", "radio");
        button.addEventListener("click", () => this.judge(verdict));
        group.append(button);
      }
    }
    for (const button of group.children) {
      button.textContent = words.verdicts[button.dataset.verdict];
      button.setAttribute("aria-checked", String(button.dataset.verdict === this.verdict));
    }
  }

  drawConflict(words) {
    const other = this.refused.get(this.ownKey());
    this.find(".conflict").hidden = !other;
    if (!other) return;
    const verdict = words.verdicts[other.verdict] ?? "-";
    this.find(".conflict-text").textContent = [verdict, other.comment, other.corrected].filter(Boolean).join("\n");
  }

  drawStatus(words) {
    const status = this.find(".status");
    const pending = storage.get(this.ownKey()) !== null;
    const late = this.waitingSince && Date.now() - this.waitingSince > OFFLINE_MS;
    const state = this.refused.has(this.ownKey()) ? "refused" : pending ? (late ? "offline" : "saving")
      : this.base > 0 ? "saved" : "nothing_yet";
    status.dataset.state = state;
    status.textContent = state === "refused" ? "" : words[state];
  }
}

export default function ({ data, parentElement, setStateValue }) {
  let editor = editors.get(parentElement);
  if (!editor) {
    editor = new Editor(parentElement);
    editors.set(parentElement, editor);
  }
  editor.update(data, setStateValue);
  return () => {
    editor.stop();
    editors.delete(parentElement);
  };
}
