// Temperature, top-k and top-p: sampling/shape.py, and for smoothed models sampling/backoff_top_p.py with its lists.
// Legend: h is a history of k tokens, w its last one; b a backoff weight. Each id is in one of three lists for h:
//     upper    followers of h or of a shorter history of 2 or more tokens
//     bigram   other followers of w
//     unigram  all other ids
// Weights are whole numbers in units of 2**-40 of the largest, so that a last bit of exp or pow seldom matters.
"use strict";

const UNIT = 2 ** 40;

function plainShape(shape) {
  return shape.temperature === 1 && !shape.topK && shape.topP === 1;
}

// Indices by falling value, ties by index.
function falling(values) {
  return Array.from(values.keys()).sort((i, j) => values[j] - values[i] || i - j);
}

// Weights of followers after shaping, 0 for those that are cut off; values are counts or probabilities above 0.
function shapedWeights(values, shape) {
  const out = new Float64Array(values.length);
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  if (shape.temperature === 0) {
    out[values.indexOf(most)] = UNIT;
    return out;
  }
  const top = Math.log(most);
  for (let i = 0; i < values.length; i++) {
    out[i] = rint(Math.exp((Math.log(values[i]) - top) / shape.temperature) * UNIT);
  }
  if (!shape.topK && shape.topP === 1) return out;
  const order = falling(values), kept = shape.topK ? order.slice(0, shape.topK) : order, cut = new Float64Array(out.length);
  let total = 0, before = 0;
  for (const i of kept) total += out[i];
  for (const i of kept) {
    if (shape.topP < 1 && before >= shape.topP * total) break;
    cut[i] = out[i];
    before += out[i];
  }
  return cut;
}

// Index of the follower that a uniform number takes.
function drawWeighted(weights, u) {
  const running = sumsBefore(weights), total = running[running.length - 1];
  const place = placeIn(running, 1, running.length, Math.floor(u * total)) - 1;
  return Math.min(place, weights.length - 1);
}

function wholeWeight(p, most, temperature) {
  const ratio = p / most;
  return rint((temperature === 1 ? ratio : ratio ** (1 / temperature)) * UNIT);
}

class ShapedBackoff {
  constructor(distribution, shape) {
    this.distribution = distribution;
    this.table = distribution.table;
    this.shape = shape;
    this.temperature = shape.temperature || 1;
    this.k = shape.temperature === 0 ? 1 : Math.min(shape.topK, this.table.nIds);
    this.unigrams = this.unigramList();
    this.bigrams = new Map();
    this.cuts = new Map();
  }

  unigramList() {
    const n = this.table.nIds, given = new Float64Array(n);
    for (let id = 0; id < n; id++) given[id] = this.distribution.extend(0, 0, id, 0);
    const p = given.slice();
    p[UNK] = p[BOS] = 0;
    const ids = falling(p).filter((id) => p[id] > 0), rank = new Int32Array(n).fill(-1);
    ids.forEach((id, r) => { rank[id] = r; });
    const weight = Float64Array.from(ids, (id) => wholeWeight(p[id], p[ids[0]], this.temperature));
    return { given, p, ids, rank, weight, minus: Float64Array.from(ids, (id) => -p[id]), running: sumsBefore(weight) };
  }

  bigramList(word) {
    if (!this.bigrams.has(word)) {
      if (this.bigrams.size > 2000) this.bigrams.clear();
      this.bigrams.set(word, this.madeBigramList(word));
    }
    return this.bigrams.get(word);
  }

  madeBigramList(word) {
    const { table, distribution, unigrams } = this, [low, high] = table.followers(1, word), size = high - low;
    const plain = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const id = table.token(2, low + i);
      plain[i] = id === UNK || id === BOS ? 0 : distribution.extend(1, word, low + i, unigrams.given[id]);
    }
    const order = falling(plain), place = new Int32Array(size);
    order.forEach((i, at) => { place[i] = at; });
    const token = order.map((i) => table.token(2, low + i)), p = Float64Array.from(order, (i) => plain[i]);
    const most = size ? Math.max(p[0], 1e-300) : 1;
    const weight = p.map((x) => wholeWeight(x, most, this.temperature)), before = sumsBefore(weight);
    const nTypes = unigrams.ids.length;
    const rank = Int32Array.from(token, (id) => (unigrams.rank[id] < 0 ? nTypes : unigrams.rank[id])).sort();
    const taken = new Float64Array(size + 1), leftOver = new Float64Array(size), skipped = new Int32Array(size);
    let ranked = 0;
    for (let i = 0; i < size; i++) {
      if (rank[i] < nTypes) ranked++;
      leftOver[i] = unigrams.running[rank[i]] - taken[i];
      skipped[i] = rank[i] - i;
      taken[i + 1] = taken[i] + (rank[i] < nTypes ? unigrams.weight[rank[i]] : 0);
    }
    return {
      low, size, token, p, weight, place, rank, taken, leftOver, skipped, ranked, allTaken: taken[size],
      minus: p.map((x) => -x), running: before.subarray(1), back: distribution.backoff(1, word),
    };
  }

  noList() {
    const none = new Float64Array(0);
    return {
      low: 0, size: 0, token: [], p: none, weight: none, place: none, rank: none, taken: new Float64Array(1),
      leftOver: none, skipped: none, ranked: 0, allTaken: 0, minus: none, running: none, back: 1,
    };
  }

  upper(level, row) {
    const { table, distribution } = this, rows = table.histories(level, row), back = [], tokens = new Set();
    const list = level ? this.bigramList(rows[1]) : this.noList();
    back.push(list.back);
    for (let k = 2; k <= level; k++) {
      back.push(distribution.backoff(k, rows[k]));
      const [low, high] = table.followers(k, rows[k]);
      for (let r = low; r < high; r++) tokens.add(table.token(k + 1, r));
    }
    let token = Array.from(tokens).sort((x, y) => x - y);
    const child = new Map(token.map((id) => [id, table.child(1, rows[1], id)]));
    const stray = token.some((id) => child.get(id) < 0);  // relative entropy prunes so
    if (stray && !this.k) token = [];
    const place = token.map((id) => list.place[child.get(id) - list.low]);
    const p = Float64Array.from(token, (id, i) => {
      if (id === UNK || id === BOS) return 0;
      let own = child.get(id) < 0 ? this.unigrams.given[id] * list.back : list.p[place[i]];
      for (let k = 2; k <= level; k++) own = distribution.extend(k, rows[k], table.child(k, rows[k], id), own);
      return own;
    });
    const bigramFactor = back.slice(1).reduce((x, b) => x * b, 1);
    return { key: level * 2 ** 32 + row, back, token, p, place, list, stray, bigramFactor, unigramFactor: bigramFactor * back[0] };
  }

  // An id, or -1 where the weights are not fine enough.
  draw(level, row, raw) {
    if (!this.unigrams.ids.length) return -1;
    const upper = this.upper(level, row);
    return this.k ? this.drawFirst(upper, uniform(raw)) : this.drawLists(upper, uniform(raw));
  }

  unigramRank(list, j) {
    return j + placeIn(list.skipped, 0, list.ranked, j);
  }

  drawFirst(upper, u) {
    const { unigrams, k } = this, list = upper.list, found = new Map();
    upper.token.forEach((id, i) => found.set(id, upper.p[i]));
    const nBigram = Math.min(list.size, k + upper.token.length);
    for (let i = 0; i < nBigram; i++) {
      if (!found.has(list.token[i])) found.set(list.token[i], upper.back.slice(1).reduce((x, b) => x * b, list.p[i]));
    }
    const nUnigram = Math.min(unigrams.ids.length - list.ranked, k + (upper.stray ? upper.token.length : 0));
    for (let j = 0; j < nUnigram; j++) {
      const id = unigrams.ids[this.unigramRank(list, j)];
      if (!found.has(id)) found.set(id, upper.back.reduce((x, b) => x * b, unigrams.p[id]));
    }
    const ids = Array.from(found.keys()).filter((id) => found.get(id) > 0).sort((x, y) => x - y);
    return ids[drawWeighted(shapedWeights(ids.map((id) => found.get(id)), this.shape), u)];
  }

  sums(upper) {
    const { unigrams, temperature } = this, list = upper.list;
    const place = upper.place.slice().sort((x, y) => x - y), out = place.map((i) => list.weight[i]);
    const taken = sumsBefore(out), leftOver = place.map((i, j) => list.running[i] - out[j] - taken[j]);
    const freeBigram = (list.size ? list.running[list.size - 1] : 0) - taken[out.length];
    const firstBigram = list.size ? list.p[0] * upper.bigramFactor : 0;
    const firstUnigram = unigrams.p[unigrams.ids[0]] * upper.unigramFactor;
    let gap = 0;
    while (gap < place.length && place[gap] === gap) gap++;
    const rank = this.unigramRank(list, 0);
    let most = gap < list.size ? list.p[gap] * upper.bigramFactor : 0;
    if (rank < unigrams.ids.length) most = Math.max(most, unigrams.p[unigrams.ids[rank]] * upper.unigramFactor);
    for (const p of upper.p) most = Math.max(most, p);
    return {
      weight: upper.p.map((p) => wholeWeight(p, most, temperature)), out, taken, leftOver, place, freeBigram,
      freeUnigram: unigrams.running[unigrams.ids.length] - list.allTaken,
      scaleBigram: Math.min(firstBigram / most, 1) ** (1 / temperature),
      scaleUnigram: Math.min(firstUnigram / most, 1) ** (1 / temperature),
      good: firstBigram <= most * (1 + 1e-9) && firstUnigram <= most * (1 + 1e-9),
    };
  }

  drawLists(upper, u) {
    const { unigrams } = this, list = upper.list, sums = this.sums(upper);
    if (upper.stray || !sums.good) return -1;
    if (this.shape.topP < 1) this.cut(upper, sums);
    const running = sumsBefore(sums.weight), inUpper = running[running.length - 1];
    const inBigram = rint(sums.scaleBigram * sums.freeBigram), inUnigram = rint(sums.scaleUnigram * sums.freeUnigram);
    const total = inUpper + inBigram + inUnigram;
    if (!(total > 0)) return -1;
    let x = Math.floor(u * total);
    if (x < inUpper) return upper.token[placeIn(running, 1, running.length, x) - 1];
    x -= inUpper;
    if (x < inBigram) {
      let target = Math.min(Math.floor((x / inBigram) * sums.freeBigram), sums.freeBigram - 1);
      const i = placeIn(sums.leftOver, 0, sums.leftOver.length, target);
      if (i > 0) target += sums.taken[i];
      return list.token[placeIn(list.running, 0, list.size, target)];
    }
    x -= inBigram;
    let target = Math.min(Math.floor((x / inUnigram) * sums.freeUnigram), sums.freeUnigram - 1);
    const i = placeIn(list.leftOver, 0, list.ranked, target);
    if (i > 0) target += list.taken[i];
    return unigrams.ids[placeIn(unigrams.running, 0, unigrams.running.length, target) - 1];
  }

  // Keep the fewest likeliest ids that reach top-p.
  cut(upper, sums) {
    const order = falling(upper.p);
    if (!this.cuts.has(upper.key)) this.cuts.set(upper.key, new ThreeLists(upper, sums, order, this.unigrams).cut(this.shape.topP));
    const [kept, bigram, unigram] = this.cuts.get(upper.key);
    for (const i of order.slice(kept)) sums.weight[i] = 0;
    [sums.freeBigram, sums.freeUnigram] = [bigram, unigram];
  }
}

// sampling/top_p_cut.py: a place is a number of entries from the beginning of each list.
class ThreeLists {
  constructor(upper, sums, order, unigrams) {
    this.minusUpper = Float64Array.from(order, (i) => -upper.p[i]);
    this.upperSums = sumsBefore(order.map((i) => sums.weight[i]));
    [this.upper, this.sums, this.unigrams] = [upper, sums, unigrams];
  }

  above(p) {
    const { upper, unigrams } = this, list = upper.list;
    return [
      firstFrom(this.minusUpper, 0, this.minusUpper.length, -p),
      upper.bigramFactor ? firstFrom(list.minus, 0, list.size, -p / upper.bigramFactor) : 0,
      upper.unigramFactor ? firstFrom(unigrams.minus, 0, unigrams.minus.length, -p / upper.unigramFactor) : 0,
    ];
  }

  ofBigram(n) {
    const { place, taken } = this.sums;
    return (n ? this.upper.list.running[n - 1] : 0) - taken[firstFrom(place, 0, place.length, n)];
  }

  ofUnigram(n) {
    const list = this.upper.list;
    return this.unigrams.running[n] - list.taken[firstFrom(list.rank, 0, list.ranked, n)];
  }

  reached(at) {
    return this.upperSums[at[0]] + this.sums.scaleBigram * this.ofBigram(at[1]) + this.sums.scaleUnigram * this.ofUnigram(at[2]);
  }

  cut(topP) {
    let above = [0, 0, 0], below = [this.minusUpper.length, this.upper.list.size, this.unigrams.minus.length];
    let high = 2, low = 1e-320;
    const wanted = topP * this.reached(below), sum = (at) => at[0] + at[1] + at[2];
    while (sum(below) - sum(above) > 1 && high > low * (1 + 1e-14)) {
      const middle = high ** 0.5 * low ** 0.5;
      if (!(low < middle && middle < high)) break;
      const at = this.above(middle);
      if (this.reached(at) < wanted) [above, high] = [at, middle];
      else [below, low] = [at, middle];
    }
    // entries between are equal but for rounding, and are taken list by list
    let missing = wanted - this.reached(above), n = above[0];
    for (; missing > 0 && n < below[0]; n++) missing -= this.upperSums[n + 1] - this.upperSums[n];
    const [bigram, left] = this.until((m) => this.ofBigram(m), above[1], below[1], this.sums.scaleBigram, missing);
    const [unigram] = this.until((m) => this.ofUnigram(m), above[2], below[2], this.sums.scaleUnigram, left);
    return [n, bigram, unigram];
  }

  // Sum of the fewest entries from `begin` on that reach `missing`, at most up to `end`; and the rest of missing.
  until(sums, begin, end, scale, missing) {
    const done = sums(begin);
    if (missing <= 0) return [done, missing];
    while (begin < end) {
      const middle = Math.floor((begin + end) / 2);
      if (scale * (sums(middle) - done) < missing) begin = middle + 1;
      else end = middle;
    }
    return [sums(begin), missing - scale * (sums(begin) - done)];
  }
}
