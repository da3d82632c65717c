// The report workbench: one case, judged as its protocol asks. This part holds the whole together: what the server says
// comes in by `update`, what the reader does goes out by the outbox, and the keys lead to the item at the cursor.

import { Clock } from "./clock.js";
import { missing } from "./completeness.js";
import { make, setValue } from "./elements.js";
import { Frame } from "./frame.js";
import { Outbox } from "./outbox.js";
import { countTable, PreferenceItem, questionItem, VerdictItem } from "./questions.js";
import { Review } from "./review.js";
import { SentenceItem } from "./rows.js";
import { storage } from "./storage.js";
import { layTexts } from "./texts.js";

const DEBOUNCE_MS = 600;
const RESEND_MS = 3000;
const benches = new WeakMap();
const textOf = (pieces) => pieces.map((piece) => piece.text).join("");

class Bench extends Frame {
  constructor(root) {
    super();
    this.root = root;
    this.find = (name) => root.querySelector(name);
    [this.review, this.outbox, this.clock] = [new Review(), new Outbox(), new Clock()];
    [this.items, this.cursor, this.shape, this.composing] = [[], 0, "", false];
    [this.comment, this.corrected, this.amendReason] = [".comment", ".corrected", ".amend-reason"].map(this.find);
    this.tally = make("div", { class: "tally" });
    this.listen();
  }

  listen() {
    this.comment.addEventListener("input", () => this.changed(
      this.review.change((state) => { state.comment = this.comment.value; }, { field: "comment" }), { field: "comment" }));
    this.corrected.addEventListener("input", () => this.changed(this.review.writeReport(this.corrected.value), { field: "corrected" }));
    this.amendReason.addEventListener("input", () => { this.keepReason(); this.drawLacking(); });
    this.root.addEventListener("compositionstart", () => { this.composing = true; });
    this.root.addEventListener("compositionend", (event) => {
      this.composing = false;
      event.target.dispatchEvent(new Event("input"));
    });
    this.root.addEventListener("focusout", () => { this.review.typing = null; this.flush(); });
    this.find(".again").addEventListener("click", () => this.fillReport());
    this.find(".keep").addEventListener("click", () => this.resolve(true));
    this.find(".take").addEventListener("click", () => this.resolve(false));
    this.find(".amend").addEventListener("click", () => this.amend());
    this.find(".cancel").addEventListener("click", () => this.cancelAmendment());
    this.find(".submit").addEventListener("click", () => this.submit());
    this.find(".close").addEventListener("click", () => this.find(".help").close());
    this.onKey = (event) => this.pressed(event);
    this.onHide = () => this.flush();
    this.onHelp = (event) => { event.preventDefault(); this.showHelp(); };
    window.addEventListener("keydown", this.onKey, true); // before the page's own shortcuts
    window.addEventListener("pagehide", this.onHide);
    window.addEventListener("xray-help", this.onHelp); // the films' own button asks for the one help of the page
    this.timer = setInterval(() => { this.flush(); this.drawStatus(); }, RESEND_MS);
  }

  stop() {
    this.flush();
    clearInterval(this.timer);
    this.clock.stop();
    window.removeEventListener("keydown", this.onKey, true);
    window.removeEventListener("pagehide", this.onHide);
    window.removeEventListener("xray-help", this.onHelp);
  }

  // -- what the server says --------------------------------------------------

  update(data, send) {
    const moved = this.data?.thread !== data.thread || this.data?.owner !== data.owner;
    const appeared = this.data?.hidden && !data.hidden;
    if (moved && this.data?.owner === data.owner) this.flush(); // another person's session must not get these drafts
    const { owner, run, case: caseId, task, thread } = data;
    this.data = data;
    this.words = data.words;
    this.outbox.bind({ owner, run, case: caseId, task, thread }, send);
    for (const ack of data.acks) this.outbox.acknowledged(ack);
    for (const refusal of data.refusals) this.outbox.wasRefused(refusal);
    this.hear(moved);
    this.build();
    if (moved || appeared) this.cursor = Math.max(0, this.items.findIndex((item) => this.isOpen(item)));
    this.draw();
  }

  hear(moved) {
    const { review } = this.data;
    const refused = this.data.acks.find((ack) => ack.client === this.outbox.client && ack.sequence === this.submitting && ack.missing.length);
    if (this.submitting && (!this.outbox.draft || this.outbox.conflict)) {
      this.submitting = 0;
      if (!refused && !this.outbox.conflict) this.given();
    }
    this.lacked = refused && refused.sequence === this.outbox.sequence ? refused.missing : [];
    if (moved) this.open();
    else if (!this.outbox.draft && review.revision > this.outbox.base) this.show(review);
    else this.review.setTexts(this.texts());
    if (review.state === "submitted" && review.revision !== this.amendedFrom && !this.outbox.draft) this.amending = false;
  }

  // What was submitted is acknowledged: the keys are the page's again, wherever the reader was writing.
  given() {
    [this.amending, this.amendReason.value] = [false, ""];
    storage.remove(this.reasonKey);
    const active = this.root.getRootNode().activeElement;
    if (this.root.contains(active)) active.blur();
  }

  // Why a review is amended is sent with its submission alone; until then it must outlive this page.
  get reasonKey() { return `xray-reason/${this.data.owner}/${this.data.thread}`; }

  keepReason() { storage.set(this.reasonKey, { text: this.amendReason.value, typed_at: Date.now() }); }

  open() {
    [this.amending, this.submitting] = [false, 0];
    this.amendReason.value = storage.get(this.reasonKey)?.text ?? "";
    document.querySelector("[data-testid=stMain]")?.scrollTo({ top: 0 }); // the next case begins with its films
    const left = this.outbox.open(this.data.review.revision);
    this.show(left ? { ...this.data.review, revision: left.base_revision, document: left.document } : this.data.review);
    if (!left) return;
    this.amending = this.data.review.state === "submitted";
    this.amendedFrom = this.data.review.revision;
    this.amendReason.value = left.reason || this.amendReason.value;
    if (left.submit && !this.outbox.conflict) this.submitting = this.outbox.sequence;
    this.flush();
  }

  show({ revision, document: kept }) {
    this.outbox.base = revision;
    this.review.load(kept, this.texts());
    this.clock.start(kept.timings ?? {});
  }

  // What the review is about: the sentences and rows, as far as the reader may see them.
  texts() {
    const { judged, reports, rows, protocol } = this.data;
    const one = reports.length === 1 ? reports[0] : null;
    const generated = one && protocol.sentences ? one.sentences.map(textOf) : [];
    const stated = (this.data.reference?.sentences ?? []).map(textOf);
    return { judged, generated, reference: stated, rows, corrects: protocol.correction !== "none" && generated.length > 0 };
  }

  sentenceText(report, number) {
    const text = report === "reference" ? this.data.reference : this.data.reports[0];
    return textOf(text.sentences[number]);
  }

  resolve(keepsMine) {
    if (!this.outbox.conflict) return;
    const other = this.outbox.resolve(keepsMine);
    this.submitting = 0;
    if (keepsMine) this.keep();
    else this.show(other);
    this.flush();
    this.draw();
  }

  // -- what the reader does --------------------------------------------------

  get locked() {
    const { read_only, review } = this.data;
    return read_only || Boolean(this.submitting) || (review.state === "submitted" && !this.amending);
  }

  // Every change comes by here: kept in this browser at once, sent after a pause.
  changed(isNew, { field = null } = {}) {
    this.clock.edited(isNew);
    this.lacked = [];
    this.find(".lacking").dataset.asked = "false";
    this.keep();
    this.draw();
    clearTimeout(this.pause);
    if (field === null) this.flush();
    else this.pause = setTimeout(() => this.flush(), DEBOUNCE_MS);
  }

  keep(options) { this.outbox.keep(this.review.document(this.clock.read()), options); }

  flush() {
    clearTimeout(this.pause);
    if (!this.composing) this.outbox.flush(); // half a word of an input method is no text yet
  }

  step(isBack) {
    if (this.locked || !(isBack ? this.review.undo() : this.review.redo())) return;
    this.changed(false);
  }

  // Accept what is undecided and not marked as wrong: a marked sentence wants a decision of its own.
  acceptRest() {
    const open = this.items.filter((item) => item instanceof SentenceItem && item.report === "generated" && !item.said.decision);
    if (this.locked || open.length === 0) return;
    const fine = open.filter((item) => !item.isMarked);
    if (fine.length > 0) {
      this.review.acceptAll(fine.map((item) => ({ key: item.key, suggested: item.suggestedKind })));
      this.changed(true);
    }
    const marked = open.find((item) => item.isMarked);
    this.moveTo(this.items.indexOf(marked ?? open.at(-1)) + (marked ? 0 : 1));
  }

  fillReport() {
    const { review, data } = this;
    if (review.assembled() !== "") {
      this.changed(review.assembleAgain());
      return;
    }
    this.changed(review.writeReport(data.reports[0].sentences.map(textOf).join("")));
    this.corrected.focus();
  }

  submit() {
    if (this.locked || this.outbox.conflict) return; // first the reader says which of the two stands
    const lacks = this.lacks();
    this.find(".lacking").dataset.asked = String(lacks.length > 0);
    if (lacks.length > 0) {
      this.lead(lacks[0]);
      return;
    }
    clearTimeout(this.pause);
    this.keep({ submit: true, reason: this.amendReason.value });
    this.submitting = this.outbox.sequence;
    this.flush();
    this.draw();
  }

  amend() {
    [this.amending, this.amendedFrom] = [true, this.data.review.revision];
    this.review.forgetSteps(); // what was submitted is not undone step by step
    this.draw();
    this.amendReason.scrollIntoView({ block: "nearest" }); // seen, and the keys stay with the sentences
  }

  // Leave an amendment: what was submitted stands again. Where a draft of it is saved, that is submitted once more.
  cancelAmendment() {
    if (this.outbox.conflict) return;
    const { given } = this.data.review;
    if (given) {
      this.review.load(given, this.texts());
      this.keep({ submit: true });
      this.submitting = this.outbox.sequence;
      this.flush();
    } else this.given();
    this.draw();
  }

  lacks() {
    const found = missing(this.review, this.data.protocol);
    const amends = this.amending || this.data.review.state === "amending";
    if (amends && this.amendReason.value.trim() === "") found.push("reason");
    return [...found, ...this.lacked.filter((code) => !found.includes(code))];
  }

  // -- keys ------------------------------------------------------------------

  pressed(event) {
    if (event.isComposing || !this.root.isConnected) return;
    const target = event.composedPath()[0];
    const isText = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    const isOwn = this.root.contains(target);
    if (isText && !isOwn) return;
    // Whoever has clicked into a film chooses its window by digit.
    const isOnFilm = event.composedPath().some((part) => part.classList?.contains("viewer"));
    if (isOnFilm && /^\d$/.test(event.key)) return;
    if (this.command(event, { isText, target })) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }

  command(event, { isText, target }) {
    const key = event.key.toLowerCase();
    const isChord = event.ctrlKey || event.metaKey;
    if (isChord && key === "enter") { this.submit(); return true; }
    if (this.find(".help").open || event.altKey) return false;
    if (isText) {
      if (key === "escape") target.blur();
      return key === "escape";
    }
    if (isChord && (key === "z" || key === "y")) { this.step(key === "z" && !event.shiftKey); return true; }
    if (isChord) return false;
    if (target.tagName === "BUTTON" && (key === "enter" || key === " ")) return false;
    return this.key(key, event);
  }

  key(key, event) {
    const item = this.items[this.cursor];
    if (item?.press(key, event)) {
      this.takeFocus();
      return true;
    }
    if (key === "j" || key === "arrowdown") this.move(1);
    else if (key === "k" || key === "arrowup") this.move(-1);
    else if (key === "u") this.step(!event.shiftKey);
    else if (key === "a" && event.shiftKey && this.data.protocol.sentences) this.acceptRest();
    else if (key === "v" && this.verdict) this.moveTo(this.items.indexOf(this.verdict));
    else if (key === "c") this.write(this.comment);
    else if (key === "?") this.showHelp();
    else return false;
    return true;
  }

  // After a decision by key the next digit is meant for the item, wherever the reader had clicked before.
  takeFocus() {
    if (!this.root.contains(this.root.getRootNode().activeElement)) this.items[this.cursor]?.element.focus({ preventScroll: true });
  }

  showHelp() { if (!this.find(".help").open) this.find(".help").showModal(); }

  move(step) { this.moveTo(this.cursor + step); }

  moveTo(place) {
    this.cursor = Math.min(Math.max(place, 0), this.items.length - 1);
    this.drawCursor();
    const element = this.items[this.cursor]?.element;
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
  }

  // Go to a text, and bring it out from under the bar at the bottom.
  write(field) {
    field.focus({ preventScroll: true });
    field.scrollIntoView({ block: "nearest" });
  }

  // Do something at an item that was clicked.
  act(item, deed) {
    this.cursor = this.items.indexOf(item);
    deed();
    this.drawCursor();
  }

  lead(code) {
    const place = this.items.findIndex((item) => item.codes.includes(code));
    if (place >= 0) this.moveTo(place);
    else if (code === "reason") this.write(this.amendReason);
    else if (code === "correction") { this.find(".correction").open = true; this.write(this.corrected); }
  }

  isOpen(item) { return missing(this.review, this.data.protocol).some((code) => item.codes.includes(code)); }

  // -- what the reader sees --------------------------------------------------

  // Make the items anew, where the case, its texts, the protocol or the language are others than before.
  build() {
    const { thread, protocol, reports, reference, rows, words } = this.data;
    const shape = JSON.stringify([thread, protocol, reports, reference, rows, words]);
    if (shape === this.shape) return;
    this.shape = shape;
    const { protocol: { questions, counts, preference, verdict } } = this.data;
    const ask = (before) => questions.filter((one) => one.before_reports === before).map((one) => questionItem(this, one));
    const [before, after, texts] = [ask(true), ask(false), layTexts(this)];
    this.table = counts.length > 0 && reports.length > 0 ? countTable(this) : null;
    const preferred = preference && reports.length > 0 ? [new PreferenceItem(this)] : [];
    this.verdict = verdict && reports.length > 0 ? new VerdictItem(this) : null;
    const rest = [...(this.table?.items ?? []), ...(reports.length > 0 ? after : []), ...preferred];
    this.items = [...before, ...texts.items, ...rest, ...(this.verdict ? [this.verdict] : [])];
    this.find(".before").replaceChildren(...before.map((item) => item.element));
    this.find(".texts").replaceChildren(texts.element);
    const asked = this.table ? [this.table.element] : [];
    this.find(".asked-after").replaceChildren(...asked, ...rest.filter((item) => !this.table?.items.includes(item)).map((item) => item.element));
    this.find(".verdict-place").replaceChildren(...(this.verdict ? [this.verdict.element] : []));
    for (const item of this.items) item.element.addEventListener("pointerdown", () => { this.cursor = this.items.indexOf(item); this.drawCursor(); });
    this.cursor = Math.min(this.cursor, Math.max(0, this.items.length - 1));
    this.drawWords();
  }

  draw() {
    const { state } = this.review;
    for (const item of this.items) item.sync();
    if (this.table) this.table.rest.disabled = this.locked;
    setValue(this.comment, state.comment);
    setValue(this.corrected, state.corrected);
    this.comment.readOnly = this.corrected.readOnly = this.locked;
    this.find(".waiting").hidden = !this.data.hidden;
    this.drawCorrection();
    this.drawTally();
    this.drawNotice();
    this.drawConflict();
    this.drawSubmission();
    this.drawCursor();
    this.drawStatus();
  }

  drawCursor() {
    this.items.forEach((item, place) => {
      if (place === this.cursor) item.element.setAttribute("aria-current", "true");
      else item.element.removeAttribute("aria-current");
    });
  }
}

export default function ({ data, parentElement, setStateValue }) {
  let bench = benches.get(parentElement);
  if (!bench) {
    bench = new Bench(parentElement);
    benches.set(parentElement, bench);
  }
  bench.update(data, setStateValue);
  return () => {
    bench.stop();
    benches.delete(parentElement);
  };
}
