// "Write": what can come next, and texts at the press of a button.
"use strict";

const SHOWN = 8;  // followers of a history
const MORE = 40;
const METHOD_NAMES = {
  none: "none: raw counts", kn: "kn: Kneser-Ney", wb: "wb: Witten-Bell", abs: "abs: absolute discounting",
  own: "the model's own probabilities",
};

class Settings {
  constructor(table) {
    const methods = Object.keys(table.header.smoothings);
    this.methods = methods.length ? methods : ["own"];
    this.method = make("select", {}, this.methods.map((name) => make("option", { value: name }, METHOD_NAMES[name])));
    this.temperature = make("input", { type: "number", min: "0", max: "100", step: "0.1", value: "1", inputmode: "decimal" });
    this.topK = make("input", { type: "number", min: "0", step: "1", value: "0", inputmode: "numeric" });
    this.topP = make("input", { type: "number", min: "0.01", max: "1", step: "0.05", value: "1", inputmode: "decimal" });
    this.seed = make("input", { type: "text", pattern: "[0-9]+", value: "1", inputmode: "numeric", autocomplete: "off" });
    this.count = make("input", { type: "number", min: "1", max: "1000", step: "1", value: "5", inputmode: "numeric" });
    this.maxTokens = make("input", { type: "number", min: "1", max: "100000", step: "1", value: "100", inputmode: "numeric" });
    this.error = make("p", { class: "error", role: "alert" });
  }

  drawing() {
    const again = make("button", { type: "button", click: () => this.newSeed() }, "New seed");
    return make("fieldset", { class: "settings" }, make("legend", {}, "How it draws"), make("div", { class: "fields" },
      field("Smoothing", this.method), field("Temperature", this.temperature, "0: the likeliest"),
      field("Top-k", this.topK, "0: all"), field("Top-p", this.topP, "1: all"),
      field("Seed", this.seed, "same seed, same texts"), again), this.error);
  }

  lengths() {
    return make("div", { class: "fields" }, field("Texts", this.count), field("Longest, in tokens", this.maxTokens));
  }

  inputs() {
    return [this.method, this.temperature, this.topK, this.topP, this.seed, this.count, this.maxTokens];
  }

  newSeed() {
    this.seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1000000);
    this.seed.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // What is set, or null where a value is impossible, which is said.
  read() {
    const number = (input, name, low, high, whole) => {
      const value = input.value.trim() === "" ? NaN : Number(input.value);
      const good = value >= low && value <= high && (!whole || Number.isInteger(value));
      input.setAttribute("aria-invalid", String(!good));
      if (!good) wrong.push(`${name}: ${whole ? "a whole number" : "a number"} from ${low} to ${high}`);
      return value;
    };
    const wrong = [];
    const out = {
      method: this.method.value,
      shape: {
        temperature: number(this.temperature, "temperature", 0, 100, false),
        topK: number(this.topK, "top-k", 0, 1e9, true),
        topP: number(this.topP, "top-p", 0, 1, false) || 1e-9,
      },
      seed: this.seed.value.trim(),
      count: number(this.count, "texts", 1, 1000, true),
      maxTokens: number(this.maxTokens, "longest", 1, 100000, true),
    };
    const good = /^[0-9]{1,30}$/u.test(out.seed);
    this.seed.setAttribute("aria-invalid", String(!good));
    if (!good) wrong.push("seed: a whole number from 0 up");
    fill(this.error, wrong.join("; "));
    return wrong.length ? null : out;
  }
}

class Writer {
  constructor(place, table, page) {
    Object.assign(this, { place, table, page, samplers: new Map(), undo: [], running: false, planned: null });
    this.settings = new Settings(table);
    this.text = make("textarea", { id: "text", rows: "3", spellcheck: "false", autocomplete: "off", dir: "auto", "aria-describedby": "read" });
    this.said = make("p", { id: "read", class: "soft", "aria-live": "polite" });
    this.next = make("div", { id: "next", class: "next" });
    this.command = make("code", { class: "command", id: "command", tabindex: "0" });
    this.written = make("ol", { id: "written", class: "written", "aria-live": "polite", "aria-label": "Texts" });
    this.build();
    this.read();
  }

  build() {
    const button = (id, label, act) => make("button", { type: "button", id, click: act }, label);
    this.stopButton = button("stop", "Stop", () => { this.running = false; });
    this.stopButton.hidden = true;
    this.oneButton = button("one", "One more token", () => this.goOn(1));
    this.endButton = button("to-end", "Write on to the end", () => this.goOn(Infinity));
    const back = button("back", "Take back", () => this.takeBack());
    const copy = button("copy", "Copy", () => this.copy(copy));
    fill(this.place,
      make("p", {}, "Type a beginning, or begin with nothing. Below stands what the model has seen next, after the whole " +
        "history and after each shorter one; take a token by a click, or let the model draw."),
      make("label", { for: "text", class: "over" }, "The text so far"), this.text, this.said,
      make("div", { class: "buttons" }, this.oneButton, this.endButton, back, button("clear", "Clear", () => this.clear())),
      this.settings.drawing(),
      make("h3", { id: "next-title" }, "What can come next"), this.next,
      make("h3", {}, "Whole texts"), this.settings.lengths(),
      make("div", { class: "buttons" }, button("texts", "Write texts", () => this.texts()), this.stopButton),
      make("p", { class: "soft" }, "The same texts from the command line:"),
      make("div", { class: "line" }, this.command, copy), this.written);
    this.text.addEventListener("input", () => this.read());
    for (const input of this.settings.inputs()) input.addEventListener("input", () => this.read());
  }

  sampler(settings) {
    const key = JSON.stringify([settings.method, settings.shape]);
    if (!this.samplers.has(key)) {
      if (this.samplers.size > 3) this.samplers.clear();
      this.samplers.set(key, new Sampler(this.table, settings.method, settings.shape));
    }
    return this.samplers.get(key);
  }

  change(text) {
    this.undo.push(this.text.value);
    this.text.value = text;
    this.read();
  }

  clear() {
    this.change("");
    this.text.focus();
  }

  takeBack() {
    if (!this.undo.length) return;
    this.text.value = this.undo.pop();
    this.read();
  }

  // Read what was typed, and show what can come next.
  read() {
    this.planned = null;
    this.prompt = readPrompt(this.table, this.text.value);
    const typed = this.prompt && this.prompt.tokens && this.prompt.unknown.length < this.prompt.tokens;
    if (!this.prompt || (this.prompt.tokens && !typed)) {
      fill(this.said, this.prompt ? `The model knows none of these words: ${this.prompt.unknown.map(visible).join(", ")}`
        : "This browser cannot read the model's pattern of tokens; begin with nothing.");
      fill(this.next);
      this.prompt = null;
      return;
    }
    this.show(this.prompt.ids, false);
  }

  // The state after some ids; `ended` after the end of a text.
  show(ids, ended) {
    const [level, row] = this.table.find(ids), settings = this.settings.read();
    const typed = ids.filter((id) => id !== BOS).length;
    const unknown = this.prompt && this.prompt.unknown.length ? `; unknown: ${this.prompt.unknown.map(visible).join(", ")}` : "";
    fill(this.said, ended ? "The text ends here. Take it back, clear it, or type on." : typed
      ? `${some(typed, "token")}; the history used has ${some(level, "token")}${unknown}` : "Nothing yet: what texts begin with.");
    if (!settings) return;
    fill(this.command, this.commandLine(settings));
    const cards = [];
    if (settings.method !== "none" || !plainShape(settings.shape)) cards.push(this.drawnCard(settings, level, row));
    const rows = this.table.histories(level, row);
    for (let k = level; k >= 0; k--) cards.push(this.seenCard(k, rows[k], k === level));
    fill(this.next, cards);
  }

  drawnCard(settings, level, row) {
    const found = this.sampler(settings).next(level, row), rows = found.map(({ id, p }) => {
      const child = this.table.child(level, row, id);
      return { id, p, count: this.table.countOf(level + 1, child) };
    });
    const title = make("h4", {}, "As it is drawn now");
    return this.card(title, some(rows.length, "token") + " can come", rows, "drawn");
  }

  // Followers seen after a history, the commonest first; those after none are kept, for they are many.
  seen(level, row) {
    if (level === 0 && this.unigrams) return this.unigrams;
    const { table } = this, [low, high] = table.followers(level, row), rows = [];
    const total = table.counted ? table.total(level, row) : 0, listed = table.counted ? null : new Listed(table);
    for (let r = low; r < high; r++) {
      const id = table.token(level + 1, r), count = table.counted ? table.count(level + 1, r) : null;
      if (id === BOS || count === 0) continue;
      rows.push({ id, count, p: table.counted ? count / total : listed.listed(level + 1, r) });
    }
    rows.sort((x, y) => y.p - x.p || x.id - y.id);
    if (level === 0) this.unigrams = rows;
    return rows;
  }

  seenCard(level, row, whole) {
    const { table } = this, rows = this.seen(level, row), total = table.counted ? table.total(level, row) : 0;
    const ids = table.ngram(level, row);
    const title = level ? make("h4", {}, "after ", tokenNames(table, ids)) : make("h4", {}, "after no history");
    const followers = some(rows.length, "follower") + (table.partial && level ? " in this page" : "");
    const said = table.counted ? `seen ${some(total, "time")}, ${followers}` : some(rows.length, "listed follower");
    return this.card(title, said, rows, whole ? "whole" : "shorter");
  }

  card(title, said, rows, kind) {
    const list = make("ul", { class: "followers" }), most = rows.length ? rows[0].p : 1;
    let shown = 0;
    const more = make("button", { type: "button", class: "more" });
    const show = (n) => {
      for (const one of rows.slice(shown, shown + n)) list.append(this.follower(one, one.p / most));
      shown = Math.min(shown + n, rows.length);
      more.hidden = shown >= rows.length;
      fill(more, `${counted(rows.length - shown)} more`);
    };
    more.addEventListener("click", () => {
      const before = shown;
      show(MORE);
      list.children[before].querySelector("button")?.focus();
    });
    show(SHOWN);
    return make("section", { class: "card " + kind }, title, make("p", { class: "soft" }, said), list, more);
  }

  follower({ id, p, count }, share) {
    const name = tokenName(this.table, id), said = count === null ? "" : counted(count);
    const label = `take ${name.textContent}: ${percent(p)}${count === null ? "" : ", seen " + some(count, "time")}`;
    const take = id === UNK || id === BOS ? make("span", { class: "take" }, name)
      : make("button", { type: "button", class: "take", "aria-label": label, click: () => this.take(id) }, name);
    return make("li", {}, take, bar(share), make("span", { class: "count" }, said), make("span", { class: "p" }, percent(p)));
  }

  take(id) {
    if (id === EOS) {
      this.list(this.text.value, true, "taken by hand");
      fill(this.said, "The text ends here, and stands in the list of texts.");
      return;
    }
    const typed = this.prompt ? this.prompt.ids.filter((one) => one !== BOS) : [];
    const last = this.planned ? this.planned.shown[this.planned.shown.length - 1] : typed[typed.length - 1];
    this.change(this.table.vocabulary.join([id], this.text.value, last === undefined ? BOS : last));
    this.next.querySelector("button.take")?.focus({ preventScroll: true });  // so that Enter takes the next one
  }

  // Write on: the first text of the seed behind what was typed, token by token or at once.
  goOn(n) {
    const settings = this.settings.read();
    if (!settings || !this.prompt) return;
    const { table } = this, typed = this.prompt.tokens;
    if (!this.planned) {
      const stream = new RandomStream(settings.seed), longest = Math.max(settings.maxTokens - typed, 0);
      const drawn = this.sampler(settings).text(stream, 0, table.find(this.prompt.ids), typed ? 0 : 1, longest);
      this.planned = { ...(drawn || { ids: [], complete: true }), at: 0, shown: [] };
    }
    const planned = this.planned;
    this.undo.push(this.text.value);
    planned.at = Math.min(planned.at + n, planned.ids.length + 1);
    planned.shown = planned.ids.slice(0, planned.at);
    const last = typed ? this.prompt.ids[this.prompt.ids.length - 1] : BOS;
    this.text.value = table.vocabulary.join(planned.shown, this.prompt.text, last);
    this.text.scrollTop = this.text.scrollHeight;
    this.show([...this.prompt.ids, ...planned.shown], planned.complete && planned.at > planned.ids.length);
  }

  commandLine(settings) {
    const parts = [this.page.commands.generate, `-c ${settings.count}`, `-s ${BigInt(settings.seed)}`, `--max-tokens ${settings.maxTokens}`];
    if (settings.method !== "none" && settings.method !== "own") parts.push(`--smoothing ${settings.method}`);
    if (settings.shape.temperature !== 1) parts.push(`--temperature ${settings.shape.temperature}`);
    if (settings.shape.topK) parts.push(`--top-k ${settings.shape.topK}`);
    if (settings.shape.topP !== 1) parts.push(`--top-p ${settings.shape.topP}`);
    if (this.prompt && this.prompt.tokens) parts.push(`--prompt ${shellWord(this.prompt.text)}`);
    return visible(parts.join(" "));
  }

  list(text, complete, note) {
    const said = make("span", { class: "soft" }, [complete ? "" : "cut", note].filter(Boolean).join(", "));
    this.written.append(make("li", {}, make("bdi", { class: "words" }, visible(text)), " ", said));
  }

  async texts() {
    const settings = this.settings.read();
    if (!settings || !this.prompt || this.running) return;
    const { table, prompt } = this, typed = prompt.tokens, last = typed ? prompt.ids[prompt.ids.length - 1] : BOS;
    const sampler = this.sampler(settings), stream = new RandomStream(settings.seed), history = table.find(prompt.ids);
    this.running = true;
    this.stopButton.hidden = false;
    this.written.setAttribute("aria-busy", "true");
    fill(this.written);
    for (let i = 0; i < settings.count && this.running; i++) {
      const drawn = sampler.text(stream, i, history, typed ? 0 : 1, Math.max(settings.maxTokens - typed, 0));
      if (drawn) this.list(table.vocabulary.join(drawn.ids, typed ? prompt.text : "", last), drawn.complete, "");
      if (i % 10 === 9 || sampler.method !== "none") await new Promise((go) => setTimeout(go));
    }
    this.running = false;
    this.stopButton.hidden = true;
    this.written.setAttribute("aria-busy", "false");
  }

  async copy(button) {
    try {
      await navigator.clipboard.writeText(this.command.textContent);
      fill(button, "Copied");
    } catch {
      getSelection().selectAllChildren(this.command);
      fill(button, "Selected");
    }
    setTimeout(() => fill(button, "Copy"), 2000);
  }
}
