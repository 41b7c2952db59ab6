// The node's API: one door, same origin, nothing else is ever asked.

// The page's half of the session; the other half is a cookie that no script reads.
const WORD = "parley-word";

export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || `status ${status}`);
    this.status = status;
    this.error = problem?.error || null;
    this.field = problem?.field || null;
  }
}

function heads(more) {
  const word = localStorage.getItem(WORD);
  return word ? { "parley-page": word, ...more } : { ...more };
}

async function answerOf(reply) {
  const text = await reply.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // an answer that is not JSON has no problem to tell
  }
  if (!reply.ok) throw new Refused(reply.status, json);
  return json;
}

async function reach(path, asked) {
  try {
    return await fetch(path, asked);
  } catch {
    throw new Refused(0, { title: "Your node does not answer. Is it running?" });
  }
}

async function ask(method, path, body, bytes) {
  const asked = { method, headers: heads(), cache: "no-store", credentials: "same-origin" };
  if (bytes !== undefined) {
    asked.headers["content-type"] = "application/octet-stream";
    asked.body = bytes;
  }
  if (body !== undefined) {
    asked.headers["content-type"] = "application/json";
    asked.body = JSON.stringify(body);
  }
  return answerOf(await reach(path, asked));
}

function withParameters(path, parameters = {}) {
  const said = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
  if (said.length === 0) return path;
  return path + "?" + said.map(([name, value]) => `${name}=${part(value)}`).join("&");
}

export const get = (path, parameters) => ask("GET", withParameters("/v1/" + path, parameters));
export const send = (path, body) => ask("POST", "/v1/" + path, body);
export const remove = (path, parameters) => ask("DELETE", withParameters("/v1/" + path, parameters));
export const sendBytes = (path, blob) => ask("POST", "/v1/" + path, undefined, blob);

// Bytes, and where they go on: null at the end.
export async function getPage(path, parameters) {
  const reply = await reach(withParameters("/v1/" + path, parameters), { method: "GET", headers: heads(), cache: "no-store", credentials: "same-origin" });
  if (!reply.ok) await answerOf(reply);
  return { bytes: new Uint8Array(await reply.arrayBuffer()), next: reply.headers.get("parley-next") };
}

// What ends a line or a text cannot stand in an address, however it is written.
export const part = (value) => encodeURIComponent(String(value).toWellFormed().replace(/[\0\r\n]/g, ""));

// The link's secret stands behind the #, which no browser sends: it is taken from there and given
// to the node, once.
export async function enter() {
  const found = /^#open=([0-9a-f]+)$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, "", "/");
  const session = await send("sessions", { secret: found[1] });
  localStorage.setItem(WORD, session.word);
  localStorage.setItem("parley-entered", Date.now());
}

export async function leave() {
  await remove("sessions");
  localStorage.removeItem(WORD);
}

// Events as they come, from where the stream was when it broke. onEvent(kind, data); a "gap" says
// that more was missed than the node remembers. onState(true) when it is there, false when not.
export class Stream {
  constructor(onEvent, onState) {
    this.onEvent = onEvent;
    this.onState = onState;
    this.cursor = null;
    this.stopped = true;
    this.wait = 500;
  }

  start() {
    if (!this.stopped) return;
    this.stopped = false;
    this.run();
  }

  stop() {
    this.stopped = true;
    this.abort?.abort();
  }

  async run() {
    while (!this.stopped) {
      try {
        await this.read();
      } catch (error) {
        if (error instanceof Refused && error.status === 401) return;
      }
      if (this.stopped) return;
      this.onState(false);
      await new Promise((done) => setTimeout(done, this.wait));
      this.wait = Math.min(this.wait * 2, 15000);
    }
  }

  async read() {
    this.abort = new AbortController();
    const more = this.cursor ? { "last-event-id": this.cursor } : {};
    const reply = await fetch("/v1/events?kinds=all", {
      headers: heads(more), cache: "no-store", credentials: "same-origin", signal: this.abort.signal,
    });
    if (!reply.ok) await answerOf(reply);
    this.wait = 500;
    this.onState(true);
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value;
      let end;
      while ((end = rest.indexOf("\n\n")) >= 0) {
        this.take(rest.slice(0, end));
        rest = rest.slice(end + 2);
      }
    }
  }

  take(block) {
    let kind = "post", data = null;
    for (const line of block.split("\n")) {
      if (line.startsWith("id: ")) this.cursor = line.slice(4);
      else if (line.startsWith("event: ")) kind = line.slice(7);
      else if (line.startsWith("data: ")) data = line.slice(6);
    }
    if (data !== null) this.onEvent(kind, JSON.parse(data));
  }
}
