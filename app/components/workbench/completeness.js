// What a review still lacks before it can be submitted. The server has the last word (app/protocol/completeness.py);
// this tells the reader at once, in the same names and order.

function isCount(value) { return Number.isInteger(value) && value >= 0; }

export function isAnswered(question, value) {
  if (question.kind === "yes_no") return typeof value === "boolean";
  if (question.kind === "text") return typeof value === "string" && value.trim() !== "";
  if (question.kind === "choice") return question.choices.some((choice) => choice.value === value);
  return isCount(value) && (question.kind === "count" || (value >= 1 && value <= 5));
}

export function missing(review, protocol) {
  const { answers, preference, corrected, verdict } = review.state;
  const open = (question) => question.required && !isAnswered(question, answers[question.name]);
  const asked = (before) => protocol.questions.filter((one) => one.before_reports === before && open(one));
  const found = asked(true).map((one) => `question:${one.name}`);
  if (protocol.sentences) found.push(...undecided(review, protocol));
  found.push(...protocol.counts.filter((name) => !isCount(answers[name])).map((name) => `count:${name}`));
  found.push(...asked(false).map((one) => `question:${one.name}`));
  if (protocol.preference && (review.isOutdated || preference === null)) found.push("preference");
  const changed = review.decisions.some((one) => ["edit", "reject"].includes(one.decision));
  if (protocol.correction === "required" && corrected.trim() === "" && (changed || !protocol.sentences)) found.push("correction");
  if (protocol.verdict && (review.isOutdated || verdict === null)) found.push("verdict");
  return found;
}

function undecided(review, protocol) {
  const open = review.texts.generated.map((_, number) => number).filter((number) => !review.sentence(`generated:${number}`).decision);
  const found = open.map((number) => `sentence:${number}`);
  if (protocol.errors !== "by_sentence") return found;
  for (const one of review.decisions.filter((decided) => decided.decision === "reject")) {
    if (!one.category) found.push(`category:${one.report}:${one.sentence}`);
    if (typeof one.significant !== "boolean") found.push(`significance:${one.report}:${one.sentence}`);
  }
  return found;
}
