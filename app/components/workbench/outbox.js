// The browser's half of the save protocol (app/saving.py is the server's). Nothing that was typed may be lost:
//   1. every change goes to localStorage at once, before anything else;
//   2. after a short pause the page sends all unsaved drafts of this reader to the server;
//   3. the server acknowledges after COMMIT, and only then the local copy is removed;
//   4. while a draft is unacknowledged it is sent again every few seconds, also by a later page.
// A draft names its page, the pages whose text it took over, and the revision it was typed on; the server finds repeats
// and conflicts. A page of a study sends drafts of studies alone: those of other reviews name the run they are of.

import { storage } from "./storage.js";

const OFFLINE_MS = 5000;
const PATIENT_AFTER = 10; // drafts of other pages that stay unanswered: their run is not here any more
const PATIENCE_MS = 60_000;

function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  constructor() {
    this.client = randomName();
    this.sequence = 0;
    this.beat = 0;
    this.base = 0;
    this.waitingSince = 0;
    this.ancestors = [];
    this.refused = new Map(); // storage key -> the other page's review
    this.tries = new Map();
  }

  // Say whose drafts these are and of what; `send` hands an outbox to the server.
  bind(place, send) { [this.place, this.send] = [place, send]; }

  get mine() { return `xray-review/${this.place.owner}/`; }

  key(thread, client) { return `${this.mine}${thread}/${client}`; }

  get ownKey() { return this.key(this.place.thread, this.client); }

  get draft() { return storage.get(this.ownKey); }

  get conflict() { return this.refused.get(this.ownKey); }

  get state() {
    if (this.conflict) return "refused";
    if (this.draft) return this.waitingSince && Date.now() - this.waitingSince > OFFLINE_MS ? "offline" : "saving";
    return this.base > 0 ? "saved" : "nothing_yet";
  }

  // Begin with a case. Returns what an earlier page left unsaved of it, which this page goes on with; or null.
  open(revision) {
    [this.base, this.ancestors, this.waitingSince] = [revision, [], 0];
    const left = storage.keys(`${this.mine}${this.place.thread}/`).map((key) => [key, storage.get(key)]);
    const found = left.filter(([, draft]) => draft).sort((one, other) => other[1].typed_at - one[1].typed_at);
    if (found.length === 0) return null;
    const [key, draft] = found[0];
    this.base = draft.base_revision;
    this.ancestors = draft.ancestors;
    if (key === this.ownKey) return draft;
    this.ancestors = [...draft.ancestors, [draft.client, draft.sequence]];
    if (this.refused.has(key)) this.refused.set(this.ownKey, this.refused.get(key));
    this.keep(draft.document, { submit: draft.submit, reason: draft.reason });
    storage.remove(key);
    return draft;
  }

  keep(document, { submit = false, reason = "" } = {}) {
    this.sequence += 1;
    const { run, case: caseId, task, thread } = this.place;
    storage.set(this.ownKey, {
      run, case: caseId, task, thread, submit, reason, document,
      client: this.client,
      sequence: this.sequence,
      ancestors: this.ancestors,
      base_revision: this.base,
      typed_at: Date.now(),
    });
  }

  flush() {
    const drafts = this.due();
    if (drafts.length === 0) return;
    if (this.draft) this.waitingSince ||= Date.now();
    this.beat += 1;
    this.send("outbox", { beat: `${this.client}:${this.beat}`, owner: this.place.owner, drafts });
  }

  due() {
    const keys = storage.keys(this.mine).filter((key) => !this.refused.has(key) && (key === this.ownKey || this.isTime(key)));
    const drafts = keys.map((key) => storage.get(key)).filter(Boolean);
    return drafts.filter((draft) => draft.task || !this.place.task).map(({ typed_at, thread, ...draft }) => draft);
  }

  isTime(key) {
    const { count, last } = this.tries.get(key) ?? { count: 0, last: 0 };
    if (count >= PATIENT_AFTER && Date.now() - last < PATIENCE_MS) return false;
    this.tries.set(key, { count: count + 1, last: Date.now() });
    return true;
  }

  acknowledged({ thread, client, sequence, revision }) {
    const key = this.key(thread, client);
    const draft = storage.get(key);
    const own = key === this.ownKey;
    if (draft && draft.sequence <= sequence) storage.remove(key);
    else if (draft && own) storage.set(key, { ...draft, base_revision: Math.max(draft.base_revision, revision) });
    this.refused.delete(key);
    if (!own) return;
    this.waitingSince = 0;
    this.base = Math.max(this.base, revision); // not the latest revision: nobody has seen that one here
  }

  wasRefused({ thread, client, sequence, review }) {
    const key = this.key(thread, client);
    const draft = storage.get(key);
    if (key === this.ownKey) this.waitingSince = 0;
    if (draft && draft.sequence <= sequence) this.refused.set(key, review);
  }

  // Settle a conflict: returns the other page's review; what is here is sent on top of it, or dropped.
  resolve(keepsMine) {
    const other = this.conflict;
    this.refused.delete(this.ownKey);
    this.base = other.revision;
    if (!keepsMine) storage.remove(this.ownKey);
    return other;
  }
}
