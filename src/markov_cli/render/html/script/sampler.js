// Draws texts from a page's model, the same as `markov generate`: sampling/sampler.py and sampling/smoothed.py.
// Legend: a history is (level, row), as in the table; t is a step, the number of tokens drawn before it.
"use strict";

const ATTEMPTS = 200;  // at a text that is too short
const TRIES = 100;  // after so many rejected draws, compute the whole distribution

class Sampler {
  // shape: {temperature, topK, topP}; method: "none", "kn", ..., or "own" for listed probabilities
  constructor(table, method, shape) {
    this.table = table;
    this.method = method;
    this.shape = shape;
    this.plain = plainShape(shape);
    this.distribution = method === "none" ? null : distributionOf(table, method);
    this.shaped = this.distribution && !this.plain ? new ShapedBackoff(this.distribution, shape) : null;
  }

  // The longest end of a history with a follower that may be drawn.
  drawnBehind(level, row) {
    let [low, high] = this.table.drawable(level, row), times = 0;
    while (low >= high && level > 0) {
      [level, row, times] = [level - 1, this.table.shorter(level, row), times + 1];
      [low, high] = this.table.drawable(level, row);
    }
    return { level, row, low, high, times };
  }

  // One token behind a history, and the history after it.
  step(level, row, raw) {
    if (this.method === "none") return this.rawStep(level, row, raw);
    const token = this.plain ? this.plainToken(level, row, raw) : this.shapedToken(level, row, raw);
    return [token, ...this.table.after(level, row, token)];
  }

  rawStep(level, row, raw) {
    const at = this.drawnBehind(level, row), counts = this.table.orders[at.level];
    const u = uniform(at.times ? rehash(raw, at.times) : raw);
    let found;
    if (this.plain) {
      const before = counts.before, total = before[at.high] - before[at.low];
      const target = before[at.low] + Math.min(Math.floor(u * total), total - 1);
      found = Math.min(placeIn(before, at.low + 1, at.high + 1, target) - 1, at.high - 1);
    } else {
      const values = Array.from(counts.count.subarray(at.low, at.high));
      found = at.low + drawWeighted(shapedWeights(values, this.shape), u);
    }
    const token = this.table.token(at.level + 1, found);
    return [token, ...this.table.after(at.level, at.row, token)];
  }

  plainToken(level, row, raw) {
    const { table, distribution } = this;
    let [at, where] = [level, row];
    for (let times = 0; times < TRIES; times++) {
      const [u, v, w] = [1, 2, 3].map((i) => uniform(rehash(raw, 3 * times + i)));
      const found = distribution.draw(at, where, u, v);
      let token = -1;
      if (found >= 0) {
        token = table.token(at + 1, found);
      } else if (at > 0) {
        [where, at] = [table.shorter(at, where), at - 1];
      } else {
        token = distribution.bottom(w);
      }
      if (distribution.excludes && token >= 0 && at < level) {
        const rows = table.histories(level, row);
        for (let k = at + 1; k <= level; k++) {
          if (table.child(k, rows[k], token) >= 0) {
            [token, at, where] = [-1, k - 1, rows[k - 1]];
            break;
          }
        }
      }
      if (token === UNK || token === BOS) [token, at, where] = [-1, level, row];
      if (token >= 0) return token;
    }
    return this.fromAll(level, row, raw);
  }

  shapedToken(level, row, raw) {
    const token = this.shaped.draw(level, row, raw);
    return token >= 0 ? token : this.fromAll(level, row, raw);
  }

  fromAll(level, row, raw) {
    const [ids, p] = this.drawableOf(level, row);
    return ids[drawWeighted(shapedWeights(p, this.shape), uniform(raw))];
  }

  drawableOf(level, row) {
    const all = fullDistribution(this.distribution, level, row), ids = [], p = [];
    for (let id = 0; id < all.length; id++) {
      if (id !== UNK && all[id] > 0) {
        ids.push(id);
        p.push(all[id]);
      }
    }
    return [ids, p];
  }

  // Every id that can be drawn behind a history, with its probability: [{id, p}, ...], the likeliest first.
  next(level, row) {
    let ids, values;
    if (this.method === "none") {
      const at = this.drawnBehind(level, row), count = this.table.orders[at.level].count;
      [ids, values] = [[], []];
      for (let r = at.low; r < at.high; r++) {
        if (count[r] > 0) {
          ids.push(this.table.token(at.level + 1, r));
          values.push(count[r]);
        }
      }
    } else {
      [ids, values] = this.drawableOf(level, row);
    }
    const weights = this.plain ? values : shapedWeights(values, this.shape);
    let total = 0;
    for (const weight of weights) total += weight;
    const out = [];
    ids.forEach((id, i) => { if (weights[i] > 0) out.push({ id, p: weights[i] / total }); });
    return out.sort((x, y) => y.p - x.p || x.id - y.id);
  }

  // Text i of a seed: its ids without the prompt, and true if it ended by itself; null after too many attempts.
  text(stream, i, history, shortest, longest) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const numbers = stream.text(i, attempt), ids = [];
      let [level, row] = history, complete = false, token;
      for (let t = 0; t <= longest; t++) {
        [token, level, row] = this.step(level, row, numbers(t));
        if (token === EOS) {
          complete = true;
          break;
        }
        if (t < longest) ids.push(token);
      }
      if (ids.length >= shortest || !complete) return { ids, complete };
    }
    return null;
  }
}

function distributionOf(table, method) {
  return method === "own" ? new Listed(table) : new Smoothed(table, method);
}

// Texts of a request, as `markov generate` writes them: [{text, tokens, complete, index}, ...].
function generate(table, request) {
  const prompt = request.prompt || { ids: table.header.borders ? [BOS] : [], text: "" };
  const typed = prompt.ids.filter((id) => id !== BOS).length, last = typed ? prompt.ids[prompt.ids.length - 1] : BOS;
  const sampler = request.sampler || new Sampler(table, request.method, request.shape);
  const stream = new RandomStream(request.seed), history = table.find(prompt.ids), out = [];
  for (let i = 0; i < request.count; i++) {
    const drawn = sampler.text(stream, i, history, typed ? 0 : 1, request.maxTokens - typed);
    if (drawn) {
      const text = table.vocabulary.join(drawn.ids, typed ? prompt.text : "", last);
      out.push({ text, tokens: drawn.ids.length + typed, complete: drawn.complete, index: i });
    }
  }
  return out;
}
