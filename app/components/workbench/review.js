// The review as the reader changes it: the document that is stored, with undo, and the corrected report.

const MOST_STEPS = 200;
const ENDS = /[。；！？.;!?]?\s*$/;
const EMPTY = { verdict: null, comment: "", corrected: "", judged: "", sentences: {}, answers: {}, preference: null };

// A rewritten sentence ends as the one in whose place it stands, where the reader left its full stop out.
function ended(text, before) {
  if (!text) return "";
  const [end] = before.match(ENDS);
  return text + (/[。；！？.;!?]$/.test(text) ? end.replace(/^[。；！？.;!?]/, "") : end);
}

// Sentences in a row, with a space between two that are written in Latin letters.
function joined(sentences) {
  const isLatin = (text, sentence) => /[A-Za-z0-9)][.;!?]$/.test(text) && /^[A-Za-z0-9(]/.test(sentence);
  return sentences.reduce((text, sentence) => text + (isLatin(text, sentence) ? " " : "") + sentence, "");
}

export class Review {
  constructor() {
    this.texts = { judged: "", generated: [], reference: [], rows: [], corrects: false };
    this.load({});
  }

  // `texts`: the hash of what is judged, the generated sentences, the rows, and whether a corrected report is asked for.
  load(document, texts = this.texts) {
    this.texts = texts;
    [this.past, this.future, this.typing] = [[], [], null];
    const sentences = (document.sentences ?? []).map((one) => ({ report: "generated", ...one }));
    const answers = (document.answers ?? []).map((one) => [one.question, one.value]);
    this.state = {
      ...EMPTY,
      verdict: document.verdict ?? null,
      comment: document.comment ?? "",
      corrected: document.corrected ?? "",
      judged: document.generated_sha256 ?? "",
      sentences: Object.fromEntries(sentences.map((one) => [`${one.report}:${one.sentence}`, one])),
      answers: Object.fromEntries(answers),
      preference: document.preference ?? null,
    };
    this.byHand = this.state.corrected !== "" && this.state.corrected !== this.assembled();
  }

  // The texts may come later than the review: reports that wait for an answer are not in the page before.
  setTexts(texts) {
    this.texts = texts;
    this.byHand = this.state.corrected !== "" && this.state.corrected !== this.assembled();
  }

  document(timings) {
    const { verdict, comment, corrected, judged, sentences, answers, preference } = this.state;
    return {
      verdict, comment, corrected, preference, timings,
      generated_sha256: judged,
      sentences: Object.values(sentences),
      answers: Object.entries(answers).map(([question, value]) => ({ question, value })),
    };
  }

  // -- questions to it -------------------------------------------------------

  get hasJudged() {
    const { verdict, sentences, preference } = this.state;
    return verdict !== null || preference !== null || Object.keys(sentences).length > 0;
  }

  get isOutdated() { return this.hasJudged && this.state.judged !== this.texts.judged; }

  // A decision about a sentence of an earlier text says nothing of the present one.
  sentence(key) { return (this.isOutdated ? null : this.state.sentences[key]) ?? {}; }

  get decisions() { return this.isOutdated ? [] : Object.values(this.state.sentences); }

  // -- changes ---------------------------------------------------------------

  // Change the state; typing into one `field` is one step of undo. Returns whether a step began.
  change(act, { field = null } = {}) {
    const isNew = field === null || field !== this.typing;
    if (isNew) {
      this.past.push(this.snapshot());
      if (this.past.length > MOST_STEPS) this.past.shift();
      this.future = [];
    }
    this.typing = field;
    if (!this.hasJudged) this.state.judged = this.texts.judged;
    act(this.state);
    return isNew;
  }

  judge(act, options) {
    return this.change((state) => {
      if (this.isOutdated) {
        Object.assign(state, { verdict: null, sentences: {}, preference: null, corrected: "" });
        this.byHand = false;
      }
      state.judged = this.texts.judged;
      act(state);
      if (!this.byHand) state.corrected = this.assembled();
    }, options);
  }

  decide(key, changes, { suggested, ...options } = {}) {
    return this.judge((state) => this.put(state, { key, changes, suggested }), options);
  }

  // Accept several sentences in one step.
  acceptAll(sentences) {
    return this.judge((state) => {
      for (const one of sentences) this.put(state, { ...one, changes: { decision: "accept" } });
    });
  }

  put(state, { key, changes, suggested }) {
    const [report, number] = key.split(":");
    const known = state.sentences[key] ?? { report, sentence: Number(number), suggested_kind: suggested || null };
    const now = { ...known, ...changes };
    if (now.decision === "accept") Object.assign(now, { category: null, significant: null });
    if (now.decision !== "edit") now.replacement = "";
    state.sentences = { ...state.sentences, [key]: now };
  }

  writeReport(text) {
    return this.change((state) => {
      state.corrected = text;
      this.byHand = text !== "" && text !== this.assembled();
    }, { field: "corrected" });
  }

  assembleAgain() {
    return this.change((state) => {
      this.byHand = false;
      state.corrected = this.assembled();
    });
  }

  // The report as the decisions make it: rejected sentences dropped, rewritten ones replaced, omitted ones added where
  // the reference has them. "" where that is the generated report itself.
  assembled() {
    const { generated, reference, rows, corrects } = this.texts;
    if (!corrects) return "";
    const said = (key) => this.sentence(key);
    const added = (number) => ended((said(`reference:${number}`).replacement ?? "").trim(), reference[number] ?? "");
    const places = rows.length > 0 ? rows : generated.map((_, number) => ({ generated: number, reference: [] }));
    const inRows = new Set(places.flatMap((row) => (row.generated === null ? row.reference : [])));
    const pieces = places.flatMap(({ generated: number, reference: numbers }) => {
      if (number === null) return numbers.map(added);
      const { decision, replacement } = said(`generated:${number}`);
      if (decision === "reject") return "";
      return decision === "edit" ? ended(replacement.trim(), generated[number]) : generated[number];
    });
    const others = this.decisions.filter((one) => one.report === "reference" && !inRows.has(one.sentence));
    const text = joined([...pieces, ...others.map((one) => added(one.sentence))]).trim();
    return text === generated.join("").trim() ? "" : text;
  }

  // The rejected or rewritten sentences that a report edited by hand still holds word for word.
  stillThere() {
    const { generated, corrects } = this.texts;
    if (!this.byHand || !corrects) return [];
    const text = this.state.corrected;
    const isGone = ({ decision, replacement }) => decision === "reject" || (decision === "edit" && (replacement ?? "").trim() !== "");
    return generated.map((said, number) => [said.trim(), number])
      .filter(([said, number]) => said && isGone(this.sentence(`generated:${number}`)) && text.includes(said)
        && !(this.sentence(`generated:${number}`).replacement ?? "").includes(said))
      .map(([, number]) => number);
  }

  // -- undo ------------------------------------------------------------------

  forgetSteps() { [this.past, this.future, this.typing] = [[], [], null]; }

  snapshot() { return structuredClone({ state: this.state, byHand: this.byHand }); }

  undo() { return this.step(this.past, this.future); }

  redo() { return this.step(this.future, this.past); }

  step(from, to) {
    const found = from.pop();
    if (!found) return false;
    to.push(this.snapshot());
    [this.state, this.byHand, this.typing] = [found.state, found.byHand, null];
    return true;
  }
}
