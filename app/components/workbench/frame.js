// What stands around the items: the texts of the form, the corrected report, conflicts, what is missing, and the state.

import { button, fill, keyed, make } from "./elements.js";
import { SentenceItem } from "./rows.js";

const LACKS_SHOWN = 2;

// The half of the bench that only shows (bench.js holds what it shows).
export class Frame {
  drawWords() {
    const { words, data } = this;
    const texts = {
      ".instruction": data.protocol.instruction, ".waiting": words.answer_first, ".comment-label": words.comment,
      ".corrected-label": words.corrected, ".keep": words.keep_mine, ".take": words.take_theirs,
      ".conflict-title": words.conflict, ".edited": words.edited_badge, ".reason-label": words.amend_reason, ".amend": words.amend, ".cancel": words.cancel_amendment,
      ".help h3": words.help, ".close": words.close,
    };
    for (const [name, text] of Object.entries(texts)) this.find(name).textContent = text;
    [this.comment.placeholder, this.corrected.placeholder, this.amendReason.placeholder] = [words.comment_hint, words.corrected_hint, words.amend_reason_hint];
    const rows = (keys) => keys.flatMap(([key, text]) => [make("dt", { text: key }), make("dd", { text })]);
    this.find(".help .keys").replaceChildren(...data.help.map(({ title, keys }) => make("section", {}, make("h4", { text: title }), make("dl", {}, ...rows(keys)))));
    this.undo = keyed(words.undo, "U", () => this.step(true));
    this.redo = keyed(words.redo, "⇧U", () => this.step(false));
    this.find(".tools").replaceChildren(this.undo, this.redo, keyed(words.help, "?", () => this.showHelp()));
    this.rest = keyed(words.accept_rest, "⇧A", () => this.acceptRest(), { class: "accept-rest" });
    this.tally.replaceChildren(make("span", { class: "count" }), this.rest);
    this.find(".submit").replaceChildren(make("span"), make("kbd", { text: "Ctrl+Enter", "aria-hidden": "true" }));
  }

  drawCorrection() {
    const { words, review } = this;
    this.find(".correction").hidden = this.data.protocol.correction === "none" || this.data.reports.length !== 1;
    this.find(".edited").hidden = review.state.corrected.trim() === "";
    const isAssembled = !review.byHand && review.state.corrected !== "";
    this.find(".origin").textContent = review.byHand ? words.by_hand : isAssembled ? words.from_sentences : "";
    const isBlank = review.state.corrected.trim() === "";
    const canCopy = isBlank && review.assembled() === "" && this.data.reports[0]?.sentences.length > 0;
    this.find(".again").textContent = canCopy ? words.start_from_draft : words.assemble_again;
    this.find(".again").hidden = this.locked || !(canCopy || (review.byHand && review.texts.corrects));
    const still = review.stillThere();
    this.find(".still").hidden = still.length === 0;
    this.find(".still").textContent = fill(words.still_there, { numbers: still.map((number) => number + 1).join(words.comma) });
    if (still.length > 0) this.find(".correction").open = true;
  }

  drawTally() {
    const all = this.items.filter((item) => item instanceof SentenceItem && item.report === "generated");
    const decided = all.filter((item) => item.said.decision).length;
    this.tally.hidden = !this.data.protocol.sentences || all.length === 0;
    this.tally.querySelector(".count").textContent = `${decided} / ${all.length}`;
    this.rest.disabled = this.locked || decided === all.length;
  }

  drawNotice() {
    const { words, data, review } = this;
    const text = data.read_only ? words.read_only : data.review.state === "void" ? words.void : review.isOutdated ? words.outdated : "";
    this.find(".notice").hidden = text === "";
    this.find(".notice").textContent = text;
  }

  drawConflict() {
    const other = this.outbox.conflict;
    this.find(".conflict").hidden = !other;
    if (!other) return;
    const { verdict, comment, corrected, sentences = [] } = other.document;
    const decided = Object.entries(this.words.decisions).map(([name, text]) => [text, sentences.filter((one) => one.decision === name).length]);
    const counted = decided.filter(([, count]) => count > 0).map(([text, count]) => `${text} ${count}`).join(this.words.comma);
    const said = [this.words.verdicts[verdict] ?? "–", counted, comment, corrected];
    this.find(".conflict-text").textContent = said.filter(Boolean).join("\n");
  }

  drawSubmission() {
    const { words, data, amending } = this;
    const isGiven = data.review.state === "submitted" && !amending;
    const amends = amending || data.review.state === "amending";
    const state = amends ? "amending" : this.outbox.draft && data.review.state === "none" ? "draft" : data.review.state;
    this.find(".state").textContent = words.states[state];
    this.find(".state").dataset.state = state;
    this.find(".amend").hidden = !isGiven || data.read_only;
    const hasDraft = Boolean(this.outbox.draft) && !data.review.given; // on its way: soon the page knows what was submitted
    this.find(".cancel").hidden = !amends || data.read_only || hasDraft;
    this.find(".cancel").disabled = Boolean(this.submitting);
    this.find(".submit").hidden = isGiven || data.read_only;
    this.find(".submit").disabled = Boolean(this.submitting);
    this.find(".submit span").textContent = this.submitting ? words.submitting : words.submit;
    this.find(".amendment").hidden = !amends || data.read_only;
    this.undo.disabled = this.locked || this.review.past.length === 0;
    this.redo.disabled = this.locked || this.review.future.length === 0;
    this.drawLacking();
  }

  drawLacking() {
    const { words } = this;
    const place = this.find(".lacking");
    const lacks = this.locked ? [] : this.lacks();
    this.find(".submit").dataset.complete = String(lacks.length === 0);
    if (this.locked) { place.replaceChildren(); return; }
    if (lacks.length === 0) { place.replaceChildren(make("span", { class: "complete", text: words.complete })); return; }
    const shown = lacks.slice(0, LACKS_SHOWN).map((code) => button(this.lackText(code), () => this.lead(code), { class: "lack", "data-lack": code }));
    const more = lacks.length > LACKS_SHOWN ? "…" : "";
    place.replaceChildren(make("span", { text: fill(words.lacking, { count: lacks.length }) }), ...shown, more);
  }

  lackText(code) {
    const [what, ...rest] = code.split(":");
    const item = this.items.find((one) => one.codes.includes(code));
    return fill(this.words.lacks[what], { number: Number(rest.at(-1)) + 1, text: item?.title ?? rest.join(" ") });
  }

  drawStatus() {
    const status = this.find(".status");
    const state = this.outbox.state;
    status.dataset.state = state;
    status.textContent = state === "refused" ? "" : this.words[state];
  }
}
