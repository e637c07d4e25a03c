// The table of a page's model: formats/page_data.py says how its bytes are laid out.
// Legend: k is an order; a row of order k is a distinct k-gram; a history is (level, row): its number of tokens and
// its row in that order; level 0, row 0 is the empty history.
"use strict";

const UNK = 0;
const BOS = 1;
const EOS = 2;
const MARKER_NAMES = ["<unk>", "<s>", "</s>"];

async function inflate(base64) {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function readVarints(bytes, n) {
  const out = new Float64Array(n);
  let at = 0;
  for (let i = 0; i < n; i++) {
    let value = bytes[at] & 127;
    for (let unit = 128; bytes[at++] > 127; unit *= 128) value += (bytes[at] & 127) * unit;
    out[i] = value;
  }
  return out;
}

function readFloats(bytes, n) {
  const plain = new Uint8Array(4 * n);
  for (let plane = 0; plane < 4; plane++) {
    for (let i = 0; i < n; i++) plain[4 * i + plane] = bytes[plane * n + i];
  }
  const view = new DataView(plain.buffer), out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = view.getFloat32(4 * i, true);
  return out;
}

function unzigzag(x) {
  return x % 2 ? -(x + 1) / 2 : x / 2;
}

// Sums before each number, and of all.
function sumsBefore(values) {
  const out = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) out[i + 1] = out[i] + values[i];
  return out;
}

function compact(values) {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  if (most < 2 ** 8) return Uint8Array.from(values);
  if (most < 2 ** 16) return Uint16Array.from(values);
  return most < 2 ** 32 ? Uint32Array.from(values) : values;
}

class Vocabulary {
  constructor(header, text, length, flags) {
    this.markers = header.markers;
    this.spaced = header.spaced;
    this.start = sumsBefore(length);
    this.bytes = text;
    this.flags = flags;
    this.size = length.length + this.markers;
    this.decoder = new TextDecoder("utf-8");
    this.strings = new Array(this.size);
    this.found = null;
  }

  marker(id) {
    return id < this.markers ? MARKER_NAMES[id] : null;
  }

  raw(id) {
    if (id < this.markers) return new Uint8Array(0);
    return this.bytes.subarray(this.start[id - this.markers], this.start[id - this.markers + 1]);
  }

  text(id) {
    if (this.strings[id] === undefined) {
      const raw = this.raw(id);
      // a byte order mark is a token like any other, and the decoder drops it
      const bom = raw.length > 2 && raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf;
      this.strings[id] = (bom ? "\ufeff" : "") + this.decoder.decode(raw);
    }
    return this.strings[id];
  }

  flag(id) {
    return id < this.markers || !this.flags ? 0 : this.flags[id - this.markers];
  }

  // Ids with this text, the commonest first.
  ids(text) {
    return this.idsOfBytes(latin1(utf8(text)));
  }

  // The same for bytes, each as a character.
  idsOfBytes(raw) {
    if (!this.found) {
      this.found = new Map();
      for (let id = this.markers; id < this.size; id++) {
        const own = latin1(this.raw(id));
        if (this.found.has(own)) this.found.get(own).push(id);
        else this.found.set(own, [id]);
      }
    }
    return this.found.get(raw) || [];
  }

  apart(before, id) {
    return this.spaced && before >= this.markers && !(this.flag(id) & 1) && !((this.flag(before) >> 1) & 1);
  }

  // A text as a person would have typed it; `head` is a prompt as it was typed, `last` its last token.
  join(ids, head = "", last = BOS) {
    const parts = [];
    if (last !== BOS && this.spaced && !/^[\t\n\v\f\r ]+$/u.test(this.text(last))) head = trimEnd(head);
    if (last !== BOS) parts.push(utf8(head));
    let before = last;
    for (const id of ids) {
      const unknown = last !== BOS && before === UNK && this.spaced && !(this.flag(id) & 1);
      if (this.apart(before, id) || unknown) parts.push(Uint8Array.of(32));
      parts.push(this.raw(id));
      before = id;
    }
    const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(all);
  }
}

function utf8(text) {
  return new TextEncoder().encode(text);
}

function latin1(bytes) {
  let out = "";
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}

// White space of Python's bytes.rstrip.
function trimEnd(text) {
  return text.replace(/[\t\n\v\f\r ]+$/u, "");
}

class Table {
  static async read(base64) {
    return new Table(await inflate(base64));
  }

  constructor(bytes) {
    const n = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    this.header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + n)));
    const columns = {};
    let at = 4 + n;
    for (const column of this.header.columns) {
      const part = bytes.subarray(at, at + column.bytes);
      columns[column.name] = column.kind === "varint" ? readVarints(part, column.n)
        : column.kind === "float32" ? readFloats(part, column.n) : part;
      at += column.bytes;
    }
    this.order = this.header.order;
    this.vocabulary = new Vocabulary(this.header, columns.text, columns.length, columns.flags);
    this.nIds = this.vocabulary.size;
    this.counted = this.header.counted;
    this.partial = this.counted && this.header.holds === "probabilities";  // counts of those n-grams that were kept
    this.orders = [];
    for (let k = this.order; k >= 1; k--) this.orders.unshift(this.readOrder(columns, k));
    for (let k = 3; k < this.order; k++) this.link(k);
  }

  readOrder(columns, k) {
    const above = this.orders[0], top = k === this.order;
    const order = { n: this.header.rows[k - 1] };
    if (!top) order.first = Uint32Array.from(sumsBefore(columns["size" + k]));
    if (columns["count" + k]) {
      order.count = columns["count" + k];
      if (!top) {
        const total = columns["total" + k];
        order.total = total ? new Float64Array(order.n) : null;
        for (let r = 0; r < order.n; r++) {
          const below = above.before[order.first[r + 1]] - above.before[order.first[r]];
          order.count[r] = unzigzag(order.count[r]) + below;
          if (total) order.total[r] = unzigzag(total[r]) + below;
        }
      }
      order.before = sumsBefore(order.count);
      order.count = compact(order.count);
    }
    if (columns["left" + k]) {
      order.left = compact(columns["left" + k]);
      order.leftBefore = sumsBefore(order.left);
      order.moreLeft = columns["left_total" + k] && columns["left_total" + k].map(unzigzag);
    }
    order.log10 = columns["log10_" + k];
    order.backoff = columns["backoff" + k];
    if (k > 1) order.differences = columns["token" + k];
    if (!top && above.differences) {  // a history's first follower has its own id, the next ones the difference
      const token = above.differences;
      for (let r = 0; r < order.n; r++) {
        for (let i = order.first[r] + 1; i < order.first[r + 1]; i++) token[i] += token[i - 1];
      }
      above.token = compact(token);
      above.differences = null;
    }
    return order;
  }

  link(k) {
    const order = this.orders[k - 1];
    order.link = new Uint32Array(order.n);
    const below = this.orders[k - 2];
    for (let h = 0; h < below.n; h++) {
      const shorter = this.shorter(k - 1, h);
      for (let r = below.first[h]; r < below.first[h + 1]; r++) {
        order.link[r] = Math.max(this.child(k - 2, shorter, order.token[r]), 0);
      }
    }
  }

  token(level, row) {
    return level === 1 ? row : this.orders[level - 1].token[row];
  }

  // Rows [low, high) of order level+1 that extend a history.
  followers(level, row) {
    if (level === 0) return [0, this.nIds];
    const first = this.orders[level - 1].first;
    return [first[row], first[row + 1]];
  }

  // The same without <unk>, and without <s> behind no history: what may be generated.
  drawable(level, row) {
    const [low, high] = this.followers(level, row);
    if (level === 0) return [this.header.borders ? EOS : EOS + 1, high];
    return low < high && this.token(level + 1, low) === UNK ? [low + 1, high] : [low, high];
  }

  child(level, row, token) {
    if (level === 0) return token >= 0 && token < this.nIds ? token : -1;
    const [low, high] = this.followers(level, row);
    const tokens = this.orders[level].token, at = firstFrom(tokens, low, high, token);
    return at < high && tokens[at] === token ? at : -1;
  }

  shorter(level, row) {
    if (level <= 1) return 0;
    return level === 2 ? this.token(2, row) : this.orders[level - 1].link[row];
  }

  // A history and all shorter ones: [k] is the row of the one with k tokens.
  histories(level, row) {
    const rows = [row];
    for (let k = level; k > 0; k--) rows.unshift(this.shorter(k, rows[0]));
    return rows;
  }

  // How often a history was followed by anything.
  total(level, row) {
    if (level === 0) return this.header.total;
    if (this.token(level, row) === EOS) return 0;
    const order = this.orders[level - 1];
    return order.total ? order.total[row] : order.count[row];
  }

  count(level, row) {
    return this.orders[level - 1].count[row];
  }

  // How often an n-gram was seen, given its row or -1; null where the page cannot tell.
  countOf(level, row) {
    if (!this.counted || (row < 0 && this.partial)) return null;
    return row < 0 ? 0 : this.count(level, row);
  }

  // The row of some ids; -1 where they are not in the table.
  rowOf(ids) {
    let row = 0;
    for (let level = 0; level < ids.length && row >= 0; level++) row = this.child(level, row, ids[level]);
    return row;
  }

  // The longest known history at the end of some ids: known when at least one token follows it.
  find(ids) {
    for (let level = Math.min(ids.length, this.order - 1); level > 0; level--) {
      const row = this.rowOf(ids.slice(ids.length - level));
      if (row >= 0) {
        const [low, high] = this.followers(level, row);
        if (low < high) return [level, row];
      }
    }
    return [0, 0];
  }

  ngram(level, row) {
    const ids = [];
    for (let k = level; k > 0; k--) {
      ids.unshift(this.token(k, row));
      if (k > 1) row = placeIn(this.orders[k - 2].first, 0, this.orders[k - 2].n + 1, row) - 1;
    }
    return ids;
  }

  // The longest history that the table has after appending a token.
  after(level, row, token) {
    if (token === EOS) return [0, 0];
    const rows = this.histories(level, row);
    for (let k = Math.min(level, this.order - 2); k >= 0; k--) {
      const child = this.child(k, rows[k], token);
      if (child >= 0) return [k + 1, child];
    }
    return [0, 0];
  }
}
