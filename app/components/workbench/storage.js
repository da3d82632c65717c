// Local copies of what is not saved yet. Where the browser forbids localStorage they live as long as the page.

const DAY_MS = 24 * 60 * 60 * 1000;
const memory = new Map();

export const storage = {
  keys(prefix) {
    const keys = [...memory.keys()];
    try { for (let i = 0; i < localStorage.length; i++) keys.push(localStorage.key(i)); } catch { /* forbidden */ }
    return keys.filter((key) => key.startsWith(prefix));
  },
  // The copy, or null. A copy of report text must not stay on a machine for ever: after a day it is removed.
  get(key) {
    let draft = null;
    try { draft = JSON.parse(memory.get(key) ?? localStorage.getItem(key)); } catch { return null; }
    if (draft && !(Date.now() - draft.typed_at < DAY_MS)) { this.remove(key); return null; }
    return draft;
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
