// Details of the token that is pointed at, tapped or focused, from the data of the page:
//   words    names, each once; word: of each token; unknown: of what is outside the vocabulary
//   bits     of each token, null for probability 0; longest: tokens of its n-gram; count, total: of that and its history
//   opens    the first token of each sequence; oov: tokens outside the vocabulary
//   group    row of others of each token, -1 for none; others: word, probability, word, probability, ...
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("scored").textContent);
  const text = document.querySelector(".tokens");
  const panel = document.getElementById("detail");
  const tokens = [...text.querySelectorAll(".text > span")];
  const place = new Map(tokens.map((token, i) => [token, i]));
  const opens = new Set(data.opens);
  const unknown = new Set(data.oov);
  let current = 0; // the token that Tab leads to
  let held = false; // a click or the keyboard chose it, so the pointer does not change it

  const make = (tag, said, kind) => {
    const one = document.createElement(tag);
    one.textContent = said;
    if (kind) one.className = kind;
    return one;
  };
  const name = (i) => data.words[data.word[i]];
  const number = (n) => n.toLocaleString("en", { maximumFractionDigits: 3 });
  const percent = (p) => (p >= 0.0005 ? `${(100 * p).toFixed(1)}%` : p > 0 ? "< 0.1%" : "0%");

  const bar = (share) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [key, value] of Object.entries({ class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none",
      "aria-hidden": "true" })) svg.setAttribute(key, value);
    for (const [key, value] of Object.entries({ class: "a", width: 100 * share, height: 10 })) rect.setAttribute(key, value);
    svg.append(rect);
    return svg;
  };

  // the last n tokens up to token i, `<s>` before the first of a sequence
  const ngram = (i, n) => {
    const words = [];
    for (let j = i; words.length < n; j--) {
      words.unshift(unknown.has(j) ? data.unknown : name(j));
      if (opens.has(j)) {
        if (words.length < n && data.borders) words.unshift("<s>");
        break;
      }
    }
    return words;
  };

  const probability = (bits) => {
    if (bits === null) return "Probability 0: the model considers it impossible here.";
    const p = 2 ** -bits;
    const once = p < 0.0995 ? `, 1 in ${(1 / p).toLocaleString("en", { maximumSignificantDigits: 3 })}` : "";
    return `${bits.toFixed(2)} bits: probability ${percent(p)}${once}`;
  };

  const origin = (i) => {
    const n = data.longest[i];
    const words = ngram(i, n);
    const out = make("p", "");
    if (unknown.has(i)) out.append("Not in the vocabulary, so it is scored as <unk>. ");
    out.append("n-gram of ", make("b", n === 1 ? "1 token" : `${n} tokens`), ": ", make("span", words.join(" "), "token"));
    if (data.count) {
      const after = n > 1 ? ` times after “${words.slice(0, -1).join(" ")}”` : " tokens";
      out.append(`; ${number(data.count[i])} of ${number(data.total[i])}${after}`);
    }
    out.append(n < data.order ? `. No longer one of the model, which has up to ${data.order} tokens, ends here.` : ".");
    return out;
  };

  const alternatives = (i) => {
    const row = data.group[i] >= 0 ? data.others[data.group[i]] : [];
    if (!row.length) return [];
    const table = make("table", "", "bars");
    table.append(make("caption", "Likeliest here"));
    const body = document.createElement("tbody");
    const most = row[1];
    for (let k = 0; k < row.length; k += 2) {
      const mine = row[k] === data.word[i];
      const line = document.createElement("tr");
      const cell = document.createElement("td");
      cell.append(bar(row[k + 1] / most));
      line.append(make("td", data.words[row[k]] + (mine ? " ◂" : ""), mine ? "left mine" : "left"),
        make("td", percent(row[k + 1])), cell);
      body.append(line);
    }
    table.append(body);
    return [table];
  };

  const unmark = () => text.querySelectorAll(".current").forEach((one) => one.classList.remove("current"));
  const show = (i, aloud) => {
    unmark();
    tokens[i].classList.add("current");
    panel.setAttribute("aria-live", aloud ? "polite" : "off");
    panel.replaceChildren(close, make("h3", name(i), "token"), make("p", probability(data.bits[i])), origin(i), ...alternatives(i));
    panel.hidden = false;
  };
  const hide = () => {
    unmark();
    panel.hidden = true;
    held = false;
  };
  const close = make("button", "×");
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", hide);
  const hold = (i) => {
    held = true;
    current = i;
    show(i, true);
  };
  const choose = (i) => {
    tokens[current].tabIndex = -1;
    current = i;
    tokens[i].tabIndex = 0;
    tokens[i].focus();
    // no focusin in a window that has no focus itself
    if (!held || panel.hidden || !tokens[i].classList.contains("current")) hold(i);
  };

  if (!tokens.length) return;
  for (const token of tokens) token.tabIndex = -1;
  tokens[0].tabIndex = 0;
  for (const one of document.querySelectorAll(".scripted")) one.hidden = false;

  text.addEventListener("pointerover", (event) => {
    if (!held && event.pointerType === "mouse" && place.has(event.target)) show(place.get(event.target), false);
  });
  text.addEventListener("pointerleave", () => {
    if (!held) hide();
  });
  text.addEventListener("click", (event) => {
    if (place.has(event.target)) choose(place.get(event.target));
    else hide();
  });
  text.addEventListener("focusin", (event) => {
    if (place.has(event.target)) hold(place.get(event.target));
  });
  text.addEventListener("focusout", (event) => {
    if (!text.contains(event.relatedTarget)) held = false;
  });
  text.addEventListener("keydown", (event) => {
    const forward = getComputedStyle(tokens[current].parentElement).direction === "rtl" ? -1 : 1;
    const dark = (step) => {
      let i = current + step;
      while (tokens[i] && !tokens[i].matches(".s3, .s4")) i += step;
      return i;
    };
    const to = {
      ArrowRight: () => current + forward,
      ArrowLeft: () => current - forward,
      ArrowDown: () => dark(1),
      ArrowUp: () => dark(-1),
      Home: () => 0,
      End: () => tokens.length - 1,
    }[event.key];
    if (event.key === "Escape") hide();
    if (!to || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const i = to();
    if (tokens[i]) choose(i);
  });
  // links of the table of tokens
  const follow = () => {
    const i = place.get(document.getElementById(location.hash.slice(1)));
    if (i !== undefined) choose(i);
  };
  addEventListener("hashchange", follow);
  follow();
})();
