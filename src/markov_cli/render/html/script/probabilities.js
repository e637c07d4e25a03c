// Probabilities of a page's model: raw counts, smoothed counts (model/smoothing.py), listed ones (model/listed.py).
// Legend: a history is (level, row), as in the table; a count a, its discount D, the divisor A and the backoff weight b
// are those of p(w | h) = (a - D) / A + b p(w | h'), h' the history without its first token.
"use strict";

class Smoothed {
  constructor(table, method) {
    this.table = table;
    this.method = method;
    this.given = table.header.smoothings[method];
    this.free = table.nIds - 1;  // ids that can follow
    this.excludes = false;
    this.opened = this.openedByBos();
    let seen = 0;
    for (let id = 0; id < table.nIds; id++) if (this.adjusted(1, id) > 0) seen++;
    this.seen = seen;
    this.weights = new Map();
  }

  // Per order, the rows that open with <s>.
  openedByBos() {
    let [low, high] = [BOS, BOS + 1];
    const out = [[low, high]];
    for (const order of this.table.orders.slice(0, -1)) {
      [low, high] = [order.first[low], order.first[high]];
      out.push([low, high]);
    }
    return out;
  }

  opens(order, row) {
    return row >= this.opened[order - 1][0] && row < this.opened[order - 1][1];
  }

  // Rows of this order go by the number of distinct left neighbours.
  byLeft(order) {
    return this.method === "kn" && Boolean(this.table.orders[order - 1].left);
  }

  adjusted(order, row) {
    const here = this.table.orders[order - 1];
    if (order === 1 && row === BOS) return 0;
    return this.byLeft(order) && !(order > 1 && this.opens(order, row)) ? here.left[row] : here.count[row];
  }

  discount(order, a) {
    return this.given.discount[order - 1][Math.min(a, 3)];
  }

  divisor(level, row) {
    const table = this.table, header = table.header;
    if (this.method === "kn" && level < table.order - 1) {
      if (level === 0) return header.left_total;
      if (this.opens(level, row)) return table.total(level, row);
      const [low, high] = table.followers(level, row), before = table.orders[level].leftBefore;
      const more = table.orders[level - 1].moreLeft;
      return before[high] - before[low] + (more ? more[row] : 0);
    }
    if (this.method === "none" && header.pruned) {
      const [low, high] = table.followers(level, row), before = table.orders[level].before;
      return before[high] - before[low] - (level ? 0 : table.orders[0].count[BOS]);
    }
    const total = table.total(level, row);
    if (this.method !== "wb" || total <= 0) return total;
    const [low, high] = table.followers(level, row);
    return total + (level ? high - low : this.seen);
  }

  backoff(level, row) {
    const key = level * 2 ** 32 + row;
    if (!this.weights.has(key)) {
      const a = this.divisor(level, row), [low, high] = this.table.followers(level, row);
      let kept = 0;
      for (let r = low; r < high; r++) {
        const count = this.adjusted(level + 1, r);
        kept += count - this.discount(level + 1, count);
      }
      if (this.weights.size > 100000) this.weights.clear();
      const rest = this.method === "none" ? 0 : Math.max(1 - kept / a, 0);
      this.weights.set(key, a > 0 ? rest : 1);
    }
    return this.weights.get(key);
  }

  // p(w | h) from p(w | h'); child is the row of h w, -1 where there is none.
  extend(level, row, child, shorter) {
    const rest = this.backoff(level, row) * (level ? shorter : 1 / this.free);
    const a = this.divisor(level, row);
    if (child < 0 || !(a > 0)) return rest;
    const count = this.adjusted(level + 1, child);
    return (count - this.discount(level + 1, count)) / a + rest;
  }

  // A row of order level+1, or -1 to back off: alias_tables.py, CountDrawing.
  draw(level, row, u, v) {
    const table = this.table, [low, high] = table.followers(level, row), a = this.divisor(level, row);
    if (low >= high || !(a > 0)) return -1;
    const here = table.orders[level], raw = !this.byLeft(level + 1) || (level > 0 && this.opens(level, row));
    const before = raw ? here.before : here.leftBefore;
    let x = u * a;
    if (level === 0 && raw && x >= here.count[UNK]) x += here.count[BOS];  // <s> has a count, but is never drawn
    if (x >= before[high] - before[low]) return -1;
    let found = placeIn(before, low + 1, high + 1, before[low] + Math.floor(x)) - 1;
    found = Math.min(Math.max(found, low), high - 1);
    const count = raw ? here.count[found] : here.left[found];
    return v * count < count - this.discount(level + 1, count) ? found : -1;
  }

  // Any id but <s>, where the empty history backed off too.
  bottom(u) {
    const drawn = Math.min(Math.floor(u * this.free), this.free - 1);
    return drawn + (drawn >= BOS ? 1 : 0);
  }
}

class Listed {
  constructor(table) {
    this.table = table;
    this.method = "own";
    this.excludes = true;  // after backing off from h, a listed follower of h is not drawn
    this.sums = [];
  }

  listed(order, row) {
    return order === 1 && row === BOS ? 0 : 10 ** Math.min(this.table.orders[order - 1].log10[row], 300);
  }

  backoff(level, row) {
    return level ? 10 ** Math.min(this.table.orders[level - 1].backoff[row], 300) : 1;
  }

  extend(level, row, child, shorter) {
    if (level === 0) return this.listed(1, child >= 0 ? child : UNK);
    return child >= 0 ? this.listed(level + 1, child) : this.backoff(level, row) * shorter;
  }

  running(order) {
    if (!this.sums[order]) {
      const p = new Float64Array(this.table.orders[order - 1].n);
      for (let row = 0; row < p.length; row++) p[row] = this.listed(order, row);
      this.sums[order] = sumsBefore(p);
    }
    return this.sums[order];
  }

  draw(level, row, u) {
    const [low, high] = this.table.followers(level, row), running = this.running(level + 1);
    const target = running[low] + u * Math.max(running[high] - running[low], 1);
    if (low >= high || !(target < running[high])) return -1;
    return Math.min(Math.max(placeIn(running, 0, running.length, target) - 1, low), high - 1);
  }

  bottom(u) {
    const running = this.running(1), last = running[running.length - 1];
    return Math.min(Math.max(placeIn(running, 0, running.length, u * last) - 1, 0), this.table.nIds - 1);
  }
}

// p of one id, from the empty history up, with what each history gave: [{level, row, child, p}, ...].
function chainOf(distribution, level, row, id) {
  const table = distribution.table, out = [];
  let p = 0;
  table.histories(level, row).forEach((here, k) => {
    const child = table.child(k, here, id);
    p = distribution.extend(k, here, child, p);
    out.push({ level: k, row: here, child, p });
  });
  return out;
}

function probability(distribution, level, row, id) {
  const chain = chainOf(distribution, level, row, id);
  return chain[chain.length - 1].p;
}

// p of every id behind a history; <s>, which is never predicted, has 0.
function fullDistribution(distribution, level, row) {
  const table = distribution.table;
  if (!distribution.unigrams) {
    distribution.unigrams = Float64Array.from({ length: table.nIds }, (_, id) => distribution.extend(0, 0, id, 0));
  }
  const p = distribution.unigrams.slice();
  table.histories(level, row).forEach((here, k) => {
    if (k === 0) return;
    const [low, high] = table.followers(k, here), b = distribution.backoff(k, here);
    let next = low;
    for (let id = 0; id < p.length; id++) {
      if (next < high && table.token(k + 1, next) === id) p[id] = distribution.extend(k, here, next++, p[id]);
      else p[id] *= b;
    }
  });
  p[BOS] = 0;
  return p;
}
