// Parts of a page that its scripts make. Text becomes text and never markup: it goes through textContent alone.
"use strict";

// An element; children are elements and texts.
function make(tag, attributes = {}, ...children) {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "click") out.addEventListener("click", value);
    else if (value === true) out.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) out.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) out.append(child instanceof Node ? child : document.createTextNode(String(child)));
  return out;
}

function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return element;
}

// Text with what cannot be seen written out: control characters, direction marks, lone surrogates.
function visible(text) {
  return text.replace(/[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff](?![\udc00-\udfff])/g, (c) => {
    if (c === "\n") return "⏎";
    if (c === "\t") return "⇥";
    return /[\ud800-\udbff]/.test(c) ? c : "\\u{" + c.codePointAt(0).toString(16) + "}";
  });
}

// A token as its own element: a space can be seen, and its writing direction stays its own.
function tokenName(table, id) {
  const marker = table.vocabulary.marker(id);
  if (marker) return make("i", { class: "marker" }, { "</s>": "end of text", "<s>": "start", "<unk>": "unknown" }[marker]);
  const said = visible(table.vocabulary.text(id));
  return make("bdi", { class: "token" }, /^\s+$/u.test(said) ? said.replace(/\s/gu, "␣") : said);
}

// Some tokens with spaces between.
function tokenNames(table, ids) {
  return ids.flatMap((id, i) => (i ? [" ", tokenName(table, id)] : [tokenName(table, id)]));
}

function plainName(table, id) {
  return tokenName(table, id).textContent;
}

function counted(n) {
  return n.toLocaleString("en");
}

function some(n, what) {
  return counted(n) + " " + what + (n === 1 ? "" : "s");
}

function percent(p) {
  if (p === 0) return "0 %";
  if (p >= 0.9995 && p < 1) return "> 99.9 %";
  if (p < 1e-6) return p.toExponential(1);
  const digits = p >= 0.0995 || p === 1 ? (p === 1 ? 0 : 1) : p >= 0.001 ? 2 : 4;
  return (100 * p).toFixed(digits).replace(/\.0$/u, "") + " %";
}

function number(x) {
  if (x === 0 || (Math.abs(x) >= 1e-4 && Math.abs(x) < 1e6)) return String(Number(x.toPrecision(4)));
  return x.toExponential(2);
}

function bar(share) {
  const out = make("span", { class: "bar", "aria-hidden": "true" });
  const inner = make("span");
  inner.style.width = Math.max(100 * share, 0.5) + "%";
  out.append(inner);
  return out;
}

function field(label, input, hint) {
  const out = make("label", {}, make("span", {}, label), input);
  if (hint) out.append(make("small", {}, hint));
  return out;
}

// A word of a shell's command line.
function shellWord(text) {
  if (/^[\w@%+=:,./-]+$/u.test(text) && /^[\x20-\x7e]+$/u.test(text)) return text;
  return "'" + text.replaceAll("'", "'\"'\"'") + "'";
}
