// The reports: aligned in rows with what the program makes of them, or in columns of their own where it says nothing.

import { make } from "./elements.js";
import { SentenceItem } from "./rows.js";

function head({ heading, label, badges }) {
  const chips = badges.map(([kind, text]) => make("span", { class: `badge ${kind}`, text }));
  return make("div", { class: "report-head" }, make("h3", { text: heading || label }), ...chips);
}

function sentence(pieces, { aside = false } = {}) {
  const said = make("p", { class: aside ? "text aside" : "text", lang: "zh-CN" });
  pieces.forEach((piece, place) => {
    const text = place === pieces.length - 1 ? piece.text.trimEnd() : piece.text;
    if (!piece.kind) { said.append(text); return; }
    const last = make("span", { class: "last", text: text.slice(-1) }, make("span", { class: "tag", text: piece.tag }));
    said.append(make("mark", { class: piece.kind, title: piece.title, text: text.slice(0, -1) }, last));
  });
  return said;
}

function note(text) { return make("p", { class: "note", text }); }

function rowOf(bench, row, place) {
  const { reports, reference } = bench.data;
  const isOmitted = row.generated === null;
  const item = new SentenceItem(bench, {
    report: isOmitted ? "reference" : "generated", number: isOmitted ? row.reference[0] : row.generated, row });
  const left = isOmitted ? note("—") : sentence(reports[0].sentences[row.generated]);
  const right = row.reference.map((number) => sentence(reference.sentences[number]));
  if (right.length === 0 && row.shared.length === 0) right.push(note("—"));
  for (const number of row.shared) {
    const text = sentence(reference.sentences[number].map(({ text: plain }) => ({ text: plain })), { aside: true });
    text.prepend(make("span", { class: "pointer", text: bench.words.shared }));
    right.push(text);
  }
  item.element = make("div", { class: "item row", tabindex: -1, role: "group", "aria-label": item.title, "data-kind": row.kind, "data-row": place },
    make("div", { class: "cell generated" }, left), make("div", { class: "cell reference" }, ...right), item.judging, item.more);
  return item;
}

function inRows(bench) {
  const { reports, reference, rows } = bench.data;
  const items = rows.map((row, place) => rowOf(bench, row, place));
  const heads = make("div", { class: "row heads" }, make("div", { class: "cell" }, head(reports[0])), make("div", { class: "cell" }, head(reference)), bench.tally);
  return { items, element: make("section", { class: "rows" }, heads, ...items.map((item) => item.element)) };
}

// A report in a column of its own; its sentences are items where they are to be judged.
function column(bench, report, name) {
  const judged = bench.data.protocol.sentences && name !== null;
  const items = [];
  const parts = report.sentences.map((pieces, number) => {
    if (!judged) return sentence(pieces);
    const item = new SentenceItem(bench, { report: name, number, row: null });
    item.element = make("div", { class: "item lone", tabindex: -1, role: "group", "aria-label": item.title }, sentence(pieces), item.judging, item.more);
    items.push(item);
    return item.element;
  });
  const body = judged ? parts : [make("div", { class: "whole" }, ...parts)];
  return { items, element: make("article", { class: "column" }, head(report), ...(report.note ? [note(report.note)] : body)) };
}

export function layTexts(bench) {
  const { reports, reference, rows } = bench.data;
  if (rows.length > 0) return inRows(bench);
  if (reports.length === 0) return { items: [], element: make("section") };
  const one = reports.length === 1;
  const columns = reports.map((report) => column(bench, report, one ? "generated" : null));
  if (reference) columns.push(column(bench, reference, one ? "reference" : null));
  const side = make("div", { class: "columns" }, ...columns.map((made) => made.element));
  const judged = one && bench.data.protocol.sentences && reports[0].sentences.length > 0;
  const element = make("section", {}, side, judged ? bench.tally : null);
  return { items: columns.flatMap((made) => made.items), element };
}
