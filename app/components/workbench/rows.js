// One sentence to judge: accept, rewrite or reject it, name the error, and see what the program's proposal rests on.

import { button, fill, keyed, make, pressed, setValue } from "./elements.js";

const DECISIONS = { a: "accept", e: "edit", x: "reject" };
const SIGNS = { accept: "✓", edit: "✎", reject: "✕" };
export const KIND_SIGNS = { agree: "✓", false: "✕", omitted: "○", side: "⇄", place: "◎", degree: "≠", polarity: "±" };

export class SentenceItem {
  // `row` is of xray.metrics.alignment; `report` tells which report the sentence to judge stands in.
  constructor(bench, { report, number, row }) {
    Object.assign(this, { bench, report, number, row, choosing: false });
    this.key = `${report}:${number}`;
    this.codes = [`sentence:${number}`, `category:${this.key}`, `significance:${this.key}`];
    if (report === "reference") this.codes.shift();
    this.names = report === "reference" ? bench.words.omission_decisions : bench.words.decisions;
    this.build();
  }

  get title() {
    const { sentence, reference_sentence } = this.bench.words;
    return fill(this.report === "reference" ? reference_sentence : sentence, { number: this.number + 1 });
  }

  get said() { return this.bench.review.sentence(this.key); }

  build() {
    const { words, data } = this.bench;
    const decide = (key) => () => this.bench.act(this, () => this.decide(DECISIONS[key]));
    this.buttons = Object.entries(DECISIONS).map(([key, decision]) => keyed(`${SIGNS[decision]} ${this.names[decision]}`, key.toUpperCase(),
      decide(key), { class: "decision", "data-decision": decision, "aria-pressed": "false" }));
    this.judging = make("div", { class: "judging", role: "group", "aria-label": this.title }, this.chip(), ...this.buttons);
    this.rewrite = make("textarea", { class: "replacement", rows: 2, maxlength: 50000, placeholder: words.rewrite_hint,
      "aria-label": `${this.title} ${words.decisions.edit}`, oninput: () => this.typed(), onkeydown: (event) => this.pressedInText(event) });
    this.categories = data.protocol.categories.map((category, place) => keyed(words.categories[category], String(place + 1),
      () => this.bench.act(this, () => this.categorise(category)), { class: "category", "data-category": category, "aria-pressed": "false" }));
    this.weight = make("span");
    this.significance = keyed("", "S", () => this.bench.act(this, () => this.weigh()), { class: "significance" });
    this.significance.prepend(this.weight);
    this.errors = make("div", { class: "errors", role: "group", "aria-label": words.category }, ...this.categories, this.significance);
    this.kinds = Object.keys(KIND_SIGNS).map((kind, place) => keyed(`${KIND_SIGNS[kind]} ${words.kinds[kind]}`, String(place + 1),
      () => this.bench.act(this, () => this.choose(kind)), { class: "own-kind", "data-kind": kind, "aria-pressed": "false" }));
    this.picker = make("div", { class: "picker", role: "group", "aria-label": words.my_kind, hidden: true },
      make("span", { text: words.my_kind }), ...this.kinds);
    this.more = make("div", { class: "more" }, this.grounds(), this.picker, this.rewrite, this.errors);
  }

  // The program's proposal, which opens its grounds; nothing at all where the protocol hides it.
  chip() {
    const { words, data } = this.bench;
    this.own = make("button", { type: "button", class: "kind own", hidden: true, onclick: () => this.bench.act(this, () => this.pick()) });
    this.picks = keyed(words.pick, "R", () => this.bench.act(this, () => this.pick()), { class: "pick", title: words.my_kind });
    if (!this.row || !data.protocol.suggestions) return make("div", { class: "kinds" }, this.own, this.picks);
    const { kind, generated } = this.row;
    const text = kind ? `${KIND_SIGNS[kind]} ${words.kinds[kind]}` : `— ${words.alone[generated === null ? "reference" : "generated"]}`;
    this.suggested = button(`${words.by_program} ${text}`, () => this.bench.act(this, () => this.explain()), {
      class: "kind suggested", "data-kind": kind, "aria-expanded": "false", title: `${words.evidence} D` });
    return make("div", { class: "kinds" }, this.suggested, this.own, this.picks);
  }

  grounds() {
    const { words } = this.bench;
    this.evidence = make("ul", { class: "evidence", hidden: true, "aria-label": words.evidence });
    for (const ground of this.row?.grounds ?? []) {
      const quotes = [ground.generated, ground.reference].map((text) => (text ? `“${text}”` : "–")).join(" ↔ ");
      const text = [`${KIND_SIGNS[ground.kind]} ${words.kinds[ground.kind]}`, ground.finding, quotes, ...ground.contrasts].join(" · ");
      this.evidence.append(make("li", { text, "data-kind": ground.kind }));
    }
    if (this.evidence.childElementCount === 0) this.evidence.append(make("li", { text: this.row?.kind ? words.alike : "–" }));
    return this.evidence;
  }

  // -- what the reader does --------------------------------------------------

  press(key, event) {
    if (this.choosing && !this.bench.locked) return this.pressInPicker(key);
    if (key === "d" && this.suggested) this.explain();
    else if (this.bench.locked || !this.bench.data.protocol.sentences) return false;
    else if (DECISIONS[key] && !event.shiftKey) this.decide(DECISIONS[key], { moves: true });
    else if (key === "r") this.pick();
    else if (key === "s" && this.judgesErrors) this.weigh();
    else if (this.judgesErrors && this.categories[key - 1]) this.categorise(this.categories[key - 1].dataset.category);
    else return false;
    return true;
  }

  pressInPicker(key) {
    const kind = Object.keys(KIND_SIGNS)[key - 1];
    if (kind) this.choose(kind);
    else if (key === "escape" || key === "r") this.pick();
    else return false;
    return true;
  }

  get judgesErrors() {
    return this.bench.data.protocol.errors === "by_sentence" && ["edit", "reject"].includes(this.said.decision);
  }

  get suggestedKind() { return (this.bench.data.protocol.suggestions && this.row?.kind) || null; }

  get isMarked() { return this.suggestedKind !== null && this.suggestedKind !== "agree"; }

  change(changes, options = {}) {
    this.bench.changed(this.bench.review.decide(this.key, changes, { suggested: this.suggestedKind, ...options }), options);
  }

  decide(decision, { moves = false } = {}) {
    const { replacement } = this.said;
    const text = this.bench.sentenceText(this.report, this.number).trim();
    this.change({ decision, ...(decision === "edit" ? { replacement: replacement || text } : {}) });
    if (decision === "edit") { this.rewrite.focus(); this.rewrite.setSelectionRange(this.rewrite.value.length, this.rewrite.value.length); }
    if (decision === "accept" && moves) this.bench.move(1);
  }

  categorise(category) { this.change({ category: this.said.category === category ? null : category }); }

  weigh() { this.change({ significant: this.said.significant === null || this.said.significant === undefined ? true : !this.said.significant }); }

  choose(kind) {
    this.choosing = false;
    this.change({ reader_kind: this.said.reader_kind === kind ? null : kind });
  }

  pick() {
    this.choosing = !this.choosing;
    this.sync();
  }

  explain() {
    this.evidence.hidden = !this.evidence.hidden;
    this.suggested.setAttribute("aria-expanded", String(!this.evidence.hidden));
  }

  typed() { this.change({ decision: "edit", replacement: this.rewrite.value }, { field: `replacement:${this.key}` }); }

  pressedInText(event) {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    this.rewrite.blur();
    this.bench.move(1);
  }

  // -- what the reader sees --------------------------------------------------

  sync() {
    const { words, locked, data } = this.bench;
    const { decision = null, category = null, significant = null, reader_kind: kind = null, replacement = "" } = this.said;
    this.element.dataset.decision = decision ?? "";
    for (const made of this.buttons) pressed(made, made.dataset.decision === decision);
    for (const made of this.categories) pressed(made, made.dataset.category === category);
    for (const made of this.kinds) pressed(made, made.dataset.kind === kind);
    this.rewrite.hidden = decision !== "edit";
    setValue(this.rewrite, replacement ?? "");
    this.errors.hidden = !this.judgesErrors;
    this.weight.textContent = words.significance[significant === null ? "" : String(significant)];
    pressed(this.significance, significant === true);
    this.significance.dataset.significant = String(significant);
    if (locked) this.choosing = false;
    this.picker.hidden = !this.choosing;
    this.own.hidden = kind === null;
    this.own.textContent = kind === null ? "" : `${words.by_me} ${KIND_SIGNS[kind]} ${words.kinds[kind]}`;
    this.own.title = words.my_kind;
    this.own.dataset.kind = kind ?? "";
    this.picks.hidden = kind !== null;
    for (const made of [...this.buttons, ...this.categories, ...this.kinds, this.significance, this.own, this.picks]) made.disabled = locked;
    this.rewrite.readOnly = locked;
    this.judging.dataset.judged = String(data.protocol.sentences);
  }
}
