// What the page knows while it is open. The node keeps everything else.
import { get } from "./api.js";

export const state = {
  status: null, // of the node
  me: null,     // the own author, or null on a relay
  person: null, // the own person
  people: [],   // who is followed, then others known
};

export async function learnSelf() {
  state.status = await get("status");
  state.me = state.status.author;
  state.person = state.me ? await get("people/" + state.me) : null;
}

export async function learnPeople() {
  state.people = (await get("people", { limit: 200 })).people;
  return state.people;
}

// Small things that are this browser's alone.
export const kept = {
  get: (name) => localStorage.getItem("parley-" + name),
  set: (name, value) => localStorage.setItem("parley-" + name, value),
};
