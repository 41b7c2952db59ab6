// What the page knows while it is open. The node keeps everything else.
import { get } from "./api.js";

export const state = {
  status: null, // of the node
  me: null,     // the own author, or null on a relay
  person: null, // the own person
  people: [],   // who is followed, then others known
  told: { problem: null }, // the answer that they stood in
};

export async function learnSelf() {
  // Who one was is asked for beside it: it is the same as a rule, and half the wait.
  const before = kept.get("me");
  const [status, person] = await Promise.all([get("status"), before ? get("people/" + before).catch(() => null) : null]);
  state.status = status;
  state.me = status.author;
  state.person = !state.me || (person && before === state.me) ? person : await get("people/" + state.me);
  if (!state.me) state.person = null;
  kept.set("me", state.me || "");
}

export async function learnPeople() {
  state.told = await get("people", { limit: 200 });
  state.people = state.told.people;
  return state.people;
}

// Small things that are this browser's alone.
export const kept = {
  get: (name) => localStorage.getItem("parley-" + name),
  set: (name, value) => localStorage.setItem("parley-" + name, value),
};
