// A bundle as a file (proto/SPEC.md 7.1 and 7.2): where its sections begin and end, and the trailer that
// shows a cut. What the sections say is for the node to judge, all of it.

const START = new TextEncoder().encode("parley1\n");
// A chunk and its head are smaller.
const SECTION_MAX = 66200;
// Hashed at a time: a few milliseconds, so that the page goes on meanwhile.
const READ_BYTES = 1 << 17;

export class Damaged extends Error {
  constructor(offset, words) {
    super(words);
    this.offset = offset;
  }
}

/* ---- BLAKE2b-256, RFC 7693 -----------------------------------------------------------------------
   Browsers have no BLAKE2. The trailer's hash tells of a file that was cut short or patched together;
   no signature and no secret hangs on it. */

const IV = Int32Array.of(0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a,
  0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19);
const ORDERS = ["0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0", "0123456789abcdef", "ea489fd61c02b753"]
  .map((row) => [...row].map((digit) => 2 * parseInt(digit, 16)));
// Columns, then diagonals: places of 64-bit words, each two of 32 bits, the lower first.
const MIXED = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]]
  .map((row) => row.map((place) => 2 * place));
// All of a block in one row, so that it is one plain loop: a, b, c, d and the two words of the message.
const STEPS = Uint8Array.from(ORDERS.flatMap((order) => MIXED.flatMap((places, i) => [...places, order[2 * i], order[2 * i + 1]])));
const BLOCK = 128;

// v[to] += from[at], of 64 bits.
function add64(v, to, from, at) {
  const low = (v[to] >>> 0) + (from[at] >>> 0);
  v[to] = low | 0;
  v[to + 1] = (v[to + 1] + from[at + 1] + (low > 0xffffffff ? 1 : 0)) | 0;
}

// v[to] = (v[to] ^ v[by]) rotated to the right by 16 or 24.
function turn(v, to, by, bits) {
  const low = v[to] ^ v[by], high = v[to + 1] ^ v[by + 1];
  v[to] = (low >>> bits) | (high << (32 - bits));
  v[to + 1] = (high >>> bits) | (low << (32 - bits));
}

function mixAll(v, m) {
  for (let i = 0; i < STEPS.length; i += 6) {
    const a = STEPS[i], b = STEPS[i + 1], c = STEPS[i + 2], d = STEPS[i + 3];
    add64(v, a, v, b);
    add64(v, a, m, STEPS[i + 4]);
    const low = v[d] ^ v[a];
    v[d] = v[d + 1] ^ v[a + 1]; // by 32
    v[d + 1] = low;
    add64(v, c, v, d);
    turn(v, b, c, 24);
    add64(v, a, v, b);
    add64(v, a, m, STEPS[i + 5]);
    turn(v, d, a, 16);
    add64(v, c, v, d);
    const under = v[b] ^ v[c], over = v[b + 1] ^ v[c + 1]; // by 63
    v[b] = (under << 1) | (over >>> 31);
    v[b + 1] = (over << 1) | (under >>> 31);
  }
}

export class Hash {
  // H(domain, part, ...) of SPEC 2.1.
  constructor(domain) {
    this.h = IV.slice();
    this.h[0] ^= 0x01010000 ^ 32; // no key, 32 bytes
    this.v = new Int32Array(32);
    this.block = new Uint8Array(BLOCK);
    this.words = new Int32Array(this.block.buffer); // little-endian, as is every machine with a browser
    this.size = this.held = 0;
    this.add(new TextEncoder().encode(domain + "\0"));
  }

  add(bytes) {
    for (let at = 0; at < bytes.length;) {
      if (this.held === BLOCK) this.compress(false);
      const count = Math.min(BLOCK - this.held, bytes.length - at);
      this.block.set(bytes.subarray(at, at + count), this.held);
      this.held += count;
      this.size += count;
      at += count;
    }
  }

  compress(isLast) {
    const { h, v, words } = this;
    v.set(h);
    v.set(IV, 16);
    v[24] ^= this.size;
    v[25] ^= Math.floor(this.size / 2 ** 32);
    if (isLast) { v[28] = ~v[28]; v[29] = ~v[29]; }
    mixAll(v, words);
    for (let i = 0; i < 16; i++) h[i] ^= v[i] ^ v[i + 16];
    this.held = 0;
  }

  end() {
    this.block.fill(0, this.held);
    this.compress(true);
    return new Uint8Array(this.h.buffer.slice(0, 32));
  }
}

/* ---- sections ------------------------------------------------------------------------------------ */

const SHORT = Symbol("short");

// Throws SHORT where the bytes end, a string of what is wrong else.
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw SHORT;
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  number(size) {
    return this.take(size).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  uint() {
    const first = this.number(1);
    if (first < 0x80) return first;
    const size = { 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 }[first];
    if (!size) throw "another type of value was expected";
    return this.number(size);
  }

  bin() {
    const size = { 0xc4: 1, 0xc5: 2, 0xc6: 4 }[this.number(1)];
    if (!size) throw "another type of value was expected";
    const length = this.number(size);
    if (length === 0 || length > SECTION_MAX) throw "larger than its limit";
    return this.take(length);
  }

  array() {
    const first = this.number(1);
    if (first >= 0x90 && first < 0xa0) return first - 0x90;
    if (first === 0xdc) return this.number(2);
    throw "another type of value was expected";
  }
}

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function readChunk(bytes) {
  const reader = new Reader(bytes);
  if (reader.array() !== 4) throw "another type of value was expected";
  const log = hex(reader.bin()), seq = reader.uint();
  reader.bin();
  return { log, seq, count: reader.array() };
}

function readSection(reader) {
  const elements = reader.array(), kind = reader.uint();
  if (kind === 0 && elements === 3) return { kind: "trailer", count: reader.uint(), hash: hex(reader.bin()) };
  if (elements !== 2 || (kind !== 1 && kind !== 2)) throw "of a kind that is not known here";
  const bytes = reader.bin();
  if (kind === 1) return { kind: "record" };
  try {
    return { kind: "chunk", ...readChunk(bytes) };
  } catch (error) {
    throw error === SHORT ? "the bytes end too early" : error;
  }
}

// The sections of a file, each with its start and end there. Of the trailer also whether the hash
// holds. Throws Damaged. Nothing of the file is kept.
export async function* sections(file) {
  const hash = new Hash("parley bundle");
  let bytes = new Uint8Array(), base = 0, at = 0;
  const isAtEnd = () => base + bytes.length >= file.size;
  const more = async () => {
    const next = new Uint8Array(await file.slice(base + bytes.length, base + bytes.length + READ_BYTES).arrayBuffer());
    const rest = bytes.subarray(at), joined = new Uint8Array(rest.length + next.length);
    joined.set(rest);
    joined.set(next, rest.length);
    base += at;
    at = 0;
    bytes = joined;
  };
  await more();
  if (START.some((byte, i) => bytes[i] !== byte)) throw new Damaged(0, "this is no bundle of posts");
  hash.add(START);
  at = START.length;
  for (;;) {
    if (bytes.length - at < SECTION_MAX && !isAtEnd()) await more();
    const reader = new Reader(bytes, at);
    let section;
    try {
      section = readSection(reader);
    } catch (error) {
      throw new Damaged(base + at, error === SHORT ? "the file ends too early: a part of it is missing" : error);
    }
    section.start = base + at;
    section.end = base + reader.at;
    if (section.kind === "trailer") {
      section.holds = section.hash === hex(hash.end());
      yield section;
      if (section.end < file.size) throw new Damaged(section.end, "bytes are left over at the end");
      return;
    }
    hash.add(bytes.subarray(at, reader.at));
    at = reader.at;
    yield section;
  }
}

/* ---- writing ------------------------------------------------------------------------------------- */

const uint64 = (value) => [0xcf, ...Array.from({ length: 8 }, (_, i) => Math.floor(value / 2 ** (8 * (7 - i))) % 256)];
// In as few bytes as it takes.
function uint(value) {
  if (value < 0x80) return [value];
  if (value < 0x100) return [0xcc, value];
  if (value < 0x10000) return [0xcd, value >> 8, value & 255];
  return value < 2 ** 32 ? [0xce, ...uint64(value).slice(5)] : uint64(value);
}

const aMoment = () => new Promise((done) => setTimeout(done));

// The file of what a node exports: add its pages in their order, each when the one before is done.
export class Writer {
  constructor() {
    this.hash = new Hash("parley bundle");
    this.hash.add(START);
    this.parts = [START];
    this.entries = 0;
    this.size = START.length;
  }

  async add(page) {
    const reader = new Reader(page);
    while (reader.at < page.length) this.entries += readSection(reader).count || 0;
    for (let at = 0; at < page.length; at += READ_BYTES) {
      this.hash.add(page.subarray(at, at + READ_BYTES));
      await aMoment();
    }
    this.parts.push(new Blob([page])); // the browser may put it on a disk
    this.size += page.length;
  }

  end() {
    const trailer = Uint8Array.of(0x93, 0, ...uint(this.entries), 0xc4, 32, ...this.hash.end());
    return new Blob([...this.parts, trailer], { type: "application/octet-stream" });
  }
}
