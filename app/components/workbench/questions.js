// The questions of a protocol, the counted errors, the preference between reports, and the verdict.

import { button, keyed, make, pressed, setValue } from "./elements.js";

const VERDICTS = { a: "accept", e: "edit", x: "reject" };

// One of several answers: buttons that act as radio buttons, digits (and keys of its own) choose.
class ChoiceItem {
  constructor(bench, { title, code, choices, keys = {} }) {
    Object.assign(this, { bench, codes: [code], title, keys });
    const order = Object.fromEntries(Object.entries(keys).map(([key, value]) => [value, key.toUpperCase()]));
    this.buttons = choices.map(({ value, text }, place) => {
      const made = keyed(text, order[value] ?? String(place + 1), () => bench.act(this, () => this.choose(value)),
        { class: "choice", role: "radio", "aria-checked": "false", "data-value": String(value) });
      made.choice = value;
      return made;
    });
    this.group = make("div", { class: "choices", role: "radiogroup", "aria-label": title }, ...this.buttons);
    this.element = make("div", { class: "item question", tabindex: -1 }, make("span", { class: "asked", text: title }), this.group);
  }

  press(key) {
    if (this.bench.locked) return false;
    const digit = /^[1-9]$/.test(key) ? this.buttons[key - 1]?.choice : undefined;
    const value = digit ?? this.keys[key];
    if (value === undefined) return false;
    this.choose(value);
    this.bench.move(1);
    return true;
  }

  sync() {
    const chosen = this.value;
    for (const made of this.buttons) {
      pressed(made, made.choice === chosen);
      made.disabled = this.bench.locked;
    }
  }
}

export class VerdictItem extends ChoiceItem {
  constructor(bench) {
    const choices = Object.values(VERDICTS).map((value) => ({ value, text: bench.words.verdicts[value] }));
    super(bench, { title: bench.words.verdict, code: "verdict", choices, keys: VERDICTS });
    this.group.classList.add("verdicts");
    for (const made of this.buttons) made.dataset.verdict = made.choice;
  }

  get value() { return this.bench.review.state.verdict; }

  choose(value) { this.bench.changed(this.bench.review.judge((state) => { state.verdict = value; })); }
}

export class PreferenceItem extends ChoiceItem {
  constructor(bench) {
    const choices = bench.data.reports.map(({ label, heading }) => ({ value: label, text: heading || label }));
    super(bench, { title: bench.words.preference, code: "preference", choices: [...choices, { value: "neither", text: bench.words.neither }] });
    this.reason = make("textarea", { class: "reason", rows: 2, maxlength: 50000, placeholder: bench.words.preference_reason,
      "aria-label": bench.words.preference_reason, oninput: () => this.typed() });
    this.element.append(this.reason);
  }

  get value() { return this.bench.review.state.preference?.choice; }

  choose(choice) {
    this.bench.changed(this.bench.review.judge((state) => { state.preference = { choice, reason: this.reason.value }; }));
  }

  typed() {
    if (!this.value) return; // the reason is of a choice: it is kept in its field until there is one
    const write = (state) => { state.preference = { choice: state.preference.choice, reason: this.reason.value }; };
    this.bench.changed(this.bench.review.judge(write, { field: "preference" }), { field: "preference" });
  }

  sync() {
    super.sync();
    if (this.value) setValue(this.reason, this.bench.review.state.preference.reason ?? "");
    this.reason.readOnly = this.bench.locked;
  }
}

function answer(bench, name, value, options = {}) {
  const write = (state) => {
    const { [name]: _, ...others } = state.answers;
    state.answers = value === null ? others : { ...others, [name]: value };
  };
  bench.changed(bench.review.change(write, options), options);
}

class QuestionItem extends ChoiceItem {
  constructor(bench, question, choices) {
    const text = question.required ? question.text : `${question.text}（${bench.words.optional}）`;
    super(bench, { title: text, code: `question:${question.name}`, choices });
    this.question = question;
  }

  get value() { return this.bench.review.state.answers[this.question.name]; }

  choose(value) { answer(this.bench, this.question.name, value); }
}

// A number or free words in a field.
class FieldItem {
  constructor(bench, { name, code, title, isNumber, labelled = true }) {
    Object.assign(this, { bench, name, codes: [code], title, isNumber });
    const attributes = { class: "answer", "aria-label": title, oninput: () => this.typed(), onkeydown: (event) => this.entered(event) };
    this.field = isNumber ? make("input", { ...attributes, inputmode: "numeric", maxlength: 4, autocomplete: "off" })
      : make("textarea", { ...attributes, rows: 2, maxlength: 50000 });
    this.element = make("div", { class: "item question", tabindex: -1 }, labelled ? make("span", { class: "asked", text: title }) : null, this.field);
  }

  press(key) {
    if (this.bench.locked) return false;
    if (this.isNumber && /^[0-9]$/.test(key)) {
      answer(this.bench, this.name, Number(key));
      this.bench.move(1);
    } else if (key === "e" || key === "enter") this.field.focus();
    else return false;
    return true;
  }

  typed() {
    const text = this.field.value.trim();
    const value = this.isNumber ? (/^[0-9]{1,4}$/.test(text) ? Number(text) : null) : this.field.value;
    answer(this.bench, this.name, value === "" ? null : value, { field: this.codes[0] });
  }

  entered(event) {
    if (event.key !== "Enter" || !this.isNumber || event.isComposing || event.ctrlKey) return;
    event.preventDefault();
    this.field.blur();
    this.bench.move(1);
  }

  sync() {
    const value = this.bench.review.state.answers[this.name] ?? "";
    const wrong = this.isNumber && value === "" && this.field.value.trim() !== "";
    if (!wrong || !this.field.matches(":focus")) setValue(this.field, String(value));
    this.field.setAttribute("aria-invalid", String(wrong && this.field.matches(":focus")));
    this.field.readOnly = this.bench.locked;
  }
}

export function questionItem(bench, question) {
  const { name, kind, choices, text } = question;
  if (kind === "choice") return new QuestionItem(bench, question, choices);
  if (kind === "yes_no") {
    return new QuestionItem(bench, question, [true, false].map((value) => ({ value, text: bench.words.yes_no[String(value)] })));
  }
  if (kind === "scale") {
    const ends = { 1: choices.at(0)?.text, 5: choices.at(-1)?.text };
    const steps = [1, 2, 3, 4, 5].map((value) => ({ value, text: ends[value] ? `${value} ${ends[value]}` : String(value) }));
    return new QuestionItem(bench, question, choices.length === 5 ? steps.map(({ value }) => ({ value, text: `${value} ${choices[value - 1].text}` })) : steps);
  }
  const title = question.required ? text : `${text}（${bench.words.optional}）`;
  return new FieldItem(bench, { name, code: `question:${name}`, title, isNumber: kind === "count" });
}

// The table of counted errors: a row for each category, a cell for each weight.
export function countTable(bench) {
  const { words, data } = bench;
  const items = [];
  const heads = ["true", "false"].map((weight) => make("th", { scope: "col", text: words.significance[weight] }));
  const body = make("tbody");
  const rows = new Map();
  for (const name of data.protocol.counts) {
    const [category, weight] = name.split(".");
    const title = `${words.categories[category]} · ${words.significance[String(weight === "significant")]}`;
    const item = new FieldItem(bench, { name, code: `count:${name}`, title, isNumber: true, labelled: false });
    items.push(item);
    if (!rows.has(category)) {
      rows.set(category, make("tr", {}, make("th", { scope: "row", text: words.categories[category] })));
      body.append(rows.get(category));
    }
    rows.get(category).append(make("td", {}, item.element));
  }
  const rest = button(words.rest_zero, () => restZero(bench), { class: "rest-zero" });
  const table = make("table", { class: "counts" }, make("thead", {}, make("tr", {}, make("th", { scope: "col", text: words.category }), ...heads)), body);
  return { items, element: make("section", { class: "counting" }, make("h4", { text: words.counts }), make("p", { class: "hint", text: words.counts_hint }), table, rest), rest };
}

function restZero(bench) {
  const zeros = Object.fromEntries(bench.data.protocol.counts.map((name) => [name, 0]));
  bench.changed(bench.review.change((state) => { state.answers = { ...zeros, ...state.answers }; }));
}
