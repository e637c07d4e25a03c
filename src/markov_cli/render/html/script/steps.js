// "How it works": the running example step by step, then the same for a sentence that the reader types.
"use strict";

function division(count, total) {
  return `${counted(count)} of ${counted(total)} = ${percent(count / total)}`;
}

// Histories of one token with their followers: [{id, total, followers: [{id, count}]}, ...].
function pairsOf(table) {
  const out = [];
  for (let id = BOS; id < table.nIds; id++) {
    const [low, high] = table.followers(1, id), followers = [];
    for (let r = low; r < high; r++) followers.push({ id: table.token(2, r), count: table.count(2, r) });
    if (followers.length) out.push({ id, total: table.total(1, id), followers });
  }
  return out;
}

class Example {
  constructor(place, table, sentence) {
    this.table = table;
    this.walked = make("ol", { class: "walk" });
    this.said = make("p", { class: "text", "aria-live": "polite" });
    this.seed = 0;
    const you = table.vocabulary.ids("you")[0], must = table.vocabulary.ids("must")[0];
    fill(place,
      make("h3", {}, "One sentence"),
      make("ol", { class: "lesson" },
        make("li", {}, make("h4", {}, "Read"), make("p", {}, "A model reads one sentence: ", make("q", {}, sentence), ". It becomes tokens, " +
          "in lower case, with a start and an end."),
          this.tokens(sentence)),
        make("li", {}, make("h4", {}, "Count"), make("p", {}, "For each token, count what comes next."), this.counts()),
        make("li", {}, make("h4", {}, "Divide"), make("p", {}, "A probability is a share of these counts. ", this.share(you), " ", this.share(must))),
        make("li", {}, make("h4", {}, "Draw"), make("p", {}, "Begin at the start. A random number from 0 to 1 chooses the " +
          "next token by these shares; go on from there until the end."), this.walked, this.said,
        make("p", {}, make("button", { type: "button", id: "walk", click: () => this.walk() }, "Draw again")))));
    this.walk();
  }

  tokens(sentence) {
    const ids = [...readPrompt(this.table, sentence).ids, EOS];
    return make("p", { class: "tokens" }, ids.flatMap((id, i) => (i ? [" → ", tokenName(this.table, id)] : [tokenName(this.table, id)])));
  }

  counts() {
    const { table } = this, rows = pairsOf(table).map(({ id, total, followers }) => make("tr", {}, make("th", { scope: "row" }, tokenName(table, id)),
      make("td", {}, counted(total)), make("td", { class: "left" }, followers.flatMap((one, i) => [i ? ", " : "", tokenName(table, one.id), " " + counted(one.count)]))));
    return make("div", { class: "wide" }, make("table", {}, make("thead", {}, make("tr", {}, ["after", "times", "comes next"].map((said, i) => make("th", { scope: "col", class: i === 2 ? "left" : false }, said)))), make("tbody", {}, rows)));
  }

  share(id) {
    const { table } = this, [low, high] = table.followers(1, id), parts = ["After ", tokenName(table, id), " comes "];
    for (let r = low; r < high; r++) {
      parts.push(r > low ? " and " : "", tokenName(table, table.token(2, r)), " in " + division(table.count(2, r), table.total(1, id)));
    }
    return make("span", { class: "sentence" }, parts, ".");
  }

  walk() {
    const { table } = this, numbers = new RandomStream(this.seed++).text(0), steps = [], ids = [];
    let id = BOS;
    for (let t = 0; t < 40 && id !== EOS; t++) {
      const [low, high] = table.followers(1, id), u = uniform(numbers(t)), total = table.total(1, id), parts = [];
      let sum = 0, next = -1;
      for (let r = low; r < high; r++) {
        const from = sum;
        sum += table.count(2, r);
        if (next < 0 && u * total < sum) next = table.token(2, r);
        parts.push(r > low ? "; " : "", tokenName(table, table.token(2, r)), ` from ${number(from / total)} to ${number(sum / total)}`);
      }
      steps.push(make("li", {}, tokenName(table, id), " → ", make("b", {}, tokenName(table, next)),
        make("span", { class: "soft" }, high - low > 1 ? [`  the number ${u.toFixed(3)}: `, parts] : ["  the only one"])));
      id = next;
      if (id !== EOS) ids.push(id);
    }
    fill(this.walked, steps);
    fill(this.said, table.vocabulary.join(ids));
  }
}

class Sentence {
  constructor(place, table, page) {
    Object.assign(this, { table, page });
    const methods = Object.keys(table.header.smoothings);
    this.methods = methods.length ? methods : ["own"];
    this.method = make("select", { id: "sentence-method" }, this.methods.map((name) => make("option", { value: name }, METHOD_NAMES[name])));
    this.input = make("input", { id: "sentence", type: "text", autocomplete: "off", spellcheck: "false", dir: "auto" });
    this.said = make("p", { id: "sentence-said", "aria-live": "polite" });
    this.list = make("div", { id: "sentence-steps", class: "tokens-of" });
    fill(place, make("h3", {}, "Your sentence"),
      make("p", {}, "Each token of a sentence has a probability after those before it. Open one to see every count that it comes from."),
      make("div", { class: "fields" }, field("A sentence", this.input), field("Smoothing", this.method)), this.said, this.list);
    this.input.value = this.first();
    this.input.addEventListener("input", () => this.show());
    this.method.addEventListener("input", () => this.show());
    this.show();
  }

  // A sentence to begin with: a short one of the model.
  first() {
    const request = { method: this.methods[0], shape: { temperature: 1, topK: 0, topP: 1 }, count: 10, maxTokens: 40 };
    const texts = generate(this.table, { ...request, seed: "1" });
    const good = texts.find((one) => one.complete && one.tokens > 5 && one.tokens < 20) || texts[0];
    return good ? good.text : "";
  }

  show() {
    const { table } = this, prompt = readPrompt(table, this.input.value);
    fill(this.list);
    if (!prompt || !prompt.tokens) {
      fill(this.said, prompt ? "Type a sentence." : "This browser cannot read the model's pattern of tokens.");
      return;
    }
    const distribution = distributionOf(table, this.method.value), start = table.header.borders ? 1 : 0;
    const ids = table.header.borders ? [...prompt.ids, EOS] : prompt.ids;
    let bits = 0;
    for (let i = start; i < ids.length; i++) {
      const [level, row] = table.find(ids.slice(0, i)), chain = chainOf(distribution, level, row, ids[i]);
      const p = chain[chain.length - 1].p;
      bits -= Math.log2(p);
      this.list.append(this.token(distribution, ids[i], chain, p));
    }
    const n = ids.length - start;
    fill(this.said, Number.isFinite(bits)
      ? `The whole: ${number(2 ** -bits)}, which is ${bits.toFixed(1)} bits, ${(bits / n).toFixed(2)} a token (perplexity ${number(2 ** (bits / n))}).`
      : "The whole has probability 0: raw counts never saw one of its tokens after this history. Smoothing gives such tokens a share.");
  }

  token(distribution, id, chain, p) {
    const { table } = this, whole = chain[chain.length - 1];
    const parts = distribution.method === "none" ? [whole] : chain.slice().reverse();
    const lines = parts.map((one) => this.line(distribution, one));
    return make("details", {}, make("summary", {}, tokenName(table, id), " ", make("span", { class: "p" }, percent(p)), bar(p),
      make("span", { class: "soft" }, whole.level ? [" after ", tokenNames(table, table.ngram(whole.level, whole.row))] : " after no history")),
    make("ul", {}, lines));
  }

  // One history's part of a probability, with all of its numbers.
  line(distribution, { level, row, child, p }) {
    const { table } = this, after = level ? ["after ", tokenNames(table, table.ngram(level, row)), ": "] : ["after no history: "];
    const times = table.countOf(level + 1, child);
    const seen = times !== null ? `seen ${counted(times)} of ${counted(table.total(level, row))} times` : "";
    if (distribution.method === "own") {
      const b = distribution.backoff(level, row);
      return make("li", {}, after, seen ? seen + "; " : "", child >= 0 || !level ? `listed with ${number(p)}` : `not in this page: backoff weight ${number(b)} × the next line = ${number(p)}`);
    }
    const a = distribution.divisor(level, row);
    if (!(a > 0)) return make("li", {}, after, "never followed: the next line holds");
    if (distribution.method === "none") return make("li", {}, after, seen, child < 0 ? ": probability 0" : ` = ${number(p)}`);
    const count = child < 0 ? 0 : distribution.adjusted(level + 1, child), d = count ? distribution.discount(level + 1, count) : 0;
    const what = distribution.byLeft(level + 1) && !(level && distribution.opens(level, row)) ? " different tokens before it" : "";
    const own = count ? `(${counted(count)}${d ? " − " + number(d) : ""}) / ${counted(a)}` : `0 / ${counted(a)}`;
    const rest = ` + ${number(distribution.backoff(level, row))} × ${level ? "the next line" : "1 / " + counted(distribution.free)}`;
    return make("li", {}, after, seen + (what && count ? `, ${counted(count)}${what}` : ""), "; ", make("code", {}, own + rest), ` = ${number(p)}`);
  }
}
