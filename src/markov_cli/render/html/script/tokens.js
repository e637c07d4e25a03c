// Tokens of what a reader types, as the model's own tokenizer reads them: text/tokenizer.py, text/whole_tokens.py.
// Legend: a token is {text, flags}; flags 1 and 2: it touched its left or right neighbour without white space.
"use strict";

const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\0]/u;
const DIVIDED = new RegExp("[" +  // letters of scripts without spaces: each stands alone
  "\\u0e00-\\u0eff\\u1000-\\u109f\\ua9e0-\\ua9ff\\uaa60-\\uaa7f\\u1780-\\u17ff\\u1950-\\u19df\\u1a20-\\u1aaf" +
  "\\uaa80-\\uaadf\\u3005-\\u3007\\u3021-\\u3029\\u3038-\\u303b\\u3041-\\u309f\\u3400-\\u4dbf\\u4e00-\\u9fff" +
  "\\ua000-\\ua4cf\\uf900-\\ufaff\\u{17000}-\\u{18cff}\\u{1b170}-\\u{1b2ff}\\u{20000}-\\u{3fffd}]", "u");
const KATAKANA_RANGE = /[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f]/u;

function kindOf(character) {
  if (SPACES.test(character)) return "space";
  if (character === "\u200b") return "mark";
  if (/[\u{1f3fb}-\u{1f3ff}]|\p{Cf}|\p{M}/u.test(character)) return "extend";
  if (!/[\p{L}\p{N}]/u.test(character)) return "mark";
  if (DIVIDED.test(character)) return "single";
  if (KATAKANA_RANGE.test(character)) return "katakana";
  return /\p{Nd}/u.test(character) ? "digit" : "word";
}

const ALNUM = "A-Za-z0-9";

// What stays whole, the first of the list that fits: links, mail addresses, @names, #tags, :emoji:. A text is given
// with \u00e9 for its letters beyond ASCII, \u5b57 for those of scripts without spaces, and \u00a4 for all else.
function wholeTokens(text) {
  const out = [], behind = (i, set) => i === 0 || !new RegExp("[" + ALNUM + "_\u00e9" + set + "]", "u").test(text[i - 1]);
  const runBack = (i, set) => {
    const inside = new RegExp("[" + set + "]", "u");
    while (i > 0 && inside.test(text[i - 1])) i--;
    return i;
  };
  const run = (i, set) => {
    const inside = new RegExp("[" + set + "]", "u");
    while (i < text.length && inside.test(text[i])) i++;
    return i;
  };
  const links = [];
  for (const m of text.matchAll(/(?<![A-Za-z])(?=([A-Za-z]+:\/\/))|(?=(www[.]))/gu)) {
    if (m[1] === undefined && !behind(m.index, ".\\-/@")) continue;
    const body = m.index + (m[1] || m[2]).length;
    const far = run(body, "^\\0-\\x20\\x7f\"<>\\[\\]{}|\\\\\\^`\u5b57\u00a4");
    const trimmed = ".,;:!?'*_~(&" + (text.slice(body, far).includes("(") ? "" : ")");
    const end = runBack(far, trimmed.replace(/[*?.()]/gu, "\\$&"));
    if (end > body) links.push([m.index, end]);
  }
  const pairs = [...text.matchAll(/(?=(:(?=[+-]|[A-Za-z0-9_+-]*[A-Za-z])[A-Za-z0-9_+-]{0,63}[A-Za-z0-9_]:))/gu)]
    .map((m) => [m.index, m.index + m[1].length]);
  const numbered = [], mails = [], names = [], tags = [], emoji = [];
  for (const [b, e] of pairs) {
    const before = text[b - 1] === "a" ? 2 : 1, end = run(e, "0-9");
    if (end > e && text[end] === ">" && b >= before && text[b - before] === "<") numbered.push([b - before, end + 1]);
  }
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    const begin = Math.min(run(runBack(at, ALNUM + "._%+\\-"), "._%+\\-"), at);
    const end = Math.max(runBack(run(at + 1, ALNUM + ".\\-"), ".\\-"), at + 1), domain = text.slice(at + 1, end);
    if (begin < at && domain.includes(".") && /^[A-Za-z0-9].*[A-Za-z]$/u.test(domain)) {
      const lone = text[begin - 1] === "@" && !(begin > 1 && new RegExp("[" + ALNUM + "_]", "u").test(text[begin - 2]));
      mails.push([begin - (lone ? 1 : 0), end]);
    }
    if (/[A-Za-z0-9_\u00e9]/u.test(text[at + 1] || "") && behind(at, "@")) names.push([at, run(at + 1, ALNUM + "_\u00e9")]);
  }
  for (const m of text.matchAll(/#(?=[0-9_]*[A-Za-z\u00e9\u5b57])/gu)) {
    if (behind(m.index, "#&/")) tags.push([m.index, run(m.index + 1, ALNUM + "_\u00e9\u5b57")]);
  }
  const ends = new Set();
  for (const [b, e] of pairs) {
    if (text[b - 1] === ":" ? ends.has(b) : behind(b, "")) {
      emoji.push([b, e]);
      ends.add(e);
    }
  }
  const taken = new Set();
  for (const found of [links, numbered, mails, names, tags, emoji]) {
    const kept = [];
    let last = 0;
    for (const [b, e] of found.sort((x, y) => x[0] - y[0])) {
      if (b >= last && !taken.has(b) && !taken.has(e - 1)) kept.push([b, e]);
      last = Math.max(last, e);
    }
    for (const [b, e] of kept) {
      for (let i = b; i < e; i++) taken.add(i);
      out.push([b, e]);
    }
  }
  return out.sort((x, y) => x[0] - y[0]);
}

// Spans of the tokens of `words`: [{begin, end, mark}, ...] in characters, and what is white space.
function wordSpans(characters) {
  const base = characters.map(kindOf), kind = base.slice(), n = characters.length;
  for (let i = 0; i < n; i++) {
    if (kind[i] === "extend") kind[i] = i > 0 && kind[i - 1] !== "space" ? kind[i - 1] : "word";
  }
  const stand = characters.map((c, i) => (c < "\x80" ? c : { word: "\u00e9", digit: "\u00e9", single: "\u5b57", katakana: "\u5b57" }[kind[i]] || "\u00a4"));
  const whole = /[@#:]|www\./u.test(stand.join("")) ? wholeTokens(stand.join("")) : [];
  const inner = kind.slice();
  for (let i = 1; i + 1 < n; i++) {
    if ((characters[i] === "'" || characters[i] === "\u2019") && kind[i - 1] === "word" && kind[i + 1] === "word") inner[i] = "word";
  }
  for (let i = 1; i + 1 < n; i++) {
    if ((characters[i] === "." || characters[i] === ",") && inner[i - 1] === "digit" && inner[i + 1] === "digit") inner[i] = "word";
  }
  const plain = inner.map((k) => (k === "digit" ? "word" : k)), cut = new Array(n).fill(false);
  let flagLetters = 0;
  for (let i = 0; i < n; i++) {
    const letter = /[\u{1f1e6}-\u{1f1ff}]/u.test(characters[i]);
    cut[i] = i === 0 || plain[i] !== plain[i - 1] || (plain[i] === "mark" && characters[i] !== characters[i - 1]);
    if (base[i] === "single") cut[i] = true;
    if (i > 0 && characters[i - 1] === "\u200d" && base[i] === "mark" && characters[i] > "\x7f") cut[i] = false;
    if (base[i] === "extend" && i > 0 && plain[i - 1] === plain[i]) cut[i] = false;
    if (letter) cut[i] = flagLetters++ % 2 === 0;
    else flagLetters = 0;
  }
  for (const [b, e] of whole) {
    for (let i = b; i < e; i++) cut[i] = false;
    cut[b] = true;
    if (e < n) cut[e] = true;
    plain[b] = "word";
  }
  const out = [];
  for (let i = 0; i < n; i++) {
    if (cut[i]) out.push({ begin: i, end: i + 1, kind: plain[i] });
    else out[out.length - 1].end = i + 1;
  }
  return out;
}

function wordTokens(text) {
  const characters = Array.from(text), spans = wordSpans(characters), out = [];
  spans.forEach((span, i) => {
    const said = characters.slice(span.begin, span.end).join("");
    if (span.kind === "space") {
      out.push({ text: said, space: true });
      return;
    }
    const before = spans[i - 1], after = spans[i + 1];
    const touches = (x) => x !== undefined && x.kind !== "space";
    let flags = 0;
    if (touches(before) && !(before.kind === "mark" && span.kind !== "mark")) flags |= 1;
    if (touches(after) && span.kind === "mark" && after.kind !== "mark") flags |= 2;
    out.push({ text: said, flags });
  });
  return out;
}

function spaceTokens(text) {
  return (text.match(/[\0\t\n\r ]+|[^\0\t\n\r ]+/gu) || []).map((said) => (
    /^[\0\t\n\r ]/u.test(said) ? { text: said, space: true } : { text: said, flags: 0 }
  ));
}

const SPACE_CLASS = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const PYTHON_CLASSES = { w: "\\p{L}\\p{N}_", s: SPACE_CLASS, d: "\\p{Nd}" };

// A pattern of Python's re with its classes of Unicode characters written out.
function patternSource(pattern) {
  let inside = false;
  return pattern.replace(/\\[\s\S]|\[\^?\]?|\]/gu, (found) => {
    if (found[0] !== "\\") {
      if (inside ? found === "]" : found[0] === "[") inside = !inside;
      return found;
    }
    const set = PYTHON_CLASSES[found[1].toLowerCase()];
    if (!set || (inside && found[1] !== found[1].toLowerCase())) return found;
    if (inside) return set;
    return found[1] === found[1].toLowerCase() ? "[" + set + "]" : "[^" + set + "]";
  });
}

// The pattern is one of Python's; null where this browser cannot read it.
function patternTokens(text, pattern) {
  let found;
  try {
    found = [...text.matchAll(new RegExp(patternSource(pattern), "gu"))];
  } catch {
    return null;
  }
  const out = [];
  let at = 0;
  for (const match of found.filter((m) => m[0])) {
    if (match.index > at) out.push({ text: text.slice(at, match.index), space: true });
    out.push({ text: match[0], flags: match.index === at && at > 0 ? 1 : 0 });
    at = match.index + match[0].length;
  }
  return out;
}

// With --keep-newlines, each newline of a gap is a token, and the indentation behind the last one.
function withNewlines(tokens) {
  return tokens.flatMap((token) => {
    if (!token.space || !token.text.includes("\n")) return [token];
    const out = Array.from(token.text.matchAll(/\n/gu), () => ({ text: "\n", flags: 3 }));
    const indentation = token.text.slice(token.text.lastIndexOf("\n") + 1);
    if (indentation && !/[\0\r\v\f]/u.test(indentation)) out.push({ text: indentation, flags: 3 });
    return out;
  });
}

// Tokens of a text: [{text, flags}, ...], or null where the model's pattern cannot be read here.
function tokensOf(text, header) {
  text = text.toWellFormed ? text.toWellFormed() : text;
  if (header.lowercase) text = text.toLowerCase();
  if (header.tokenizer === "bytes") return Array.from(utf8(text), (byte) => ({ raw: String.fromCharCode(byte), flags: 0 }));
  if (header.tokenizer === "chars" && header.unit !== "line") text = text.replaceAll("\r\n", "\n");
  if (header.tokenizer === "chars") return Array.from(text, (c) => ({ text: c, flags: 0 }));
  const found = header.tokenizer === "words" ? wordTokens(text)
    : header.tokenizer === "spaces" ? spaceTokens(text) : patternTokens(text, header.pattern);
  if (!found) return null;
  return (header.keep_newlines ? withNewlines(found) : found).filter((token) => !token.space);
}

const QUOTES = [["'", "\u2019", "\u2018"], ['"', "\u201c", "\u201d"]];

// A token with other quotes and apostrophes.
function otherQuotes(text) {
  let found = [text];
  for (const alike of QUOTES) {
    if (alike.some((c) => text.includes(c))) {
      found = found.flatMap((one) => alike.map((c) => Array.from(one, (x) => (alike.includes(x) ? c : x)).join("")));
    }
  }
  return [...new Set(found)].filter((one) => one !== text);
}

// Ids of a text that opens a sequence, as generation/prompt.py finds them: {ids, text, tokens, unknown}.
function readPrompt(table, text) {
  const header = table.header, vocabulary = table.vocabulary, tokens = tokensOf(text, header);
  if (!tokens) return null;
  const start = header.borders ? [BOS] : [], unknown = [];
  const ids = tokens.map((token, i) => {
    const last = i === tokens.length - 1;
    let found = token.raw === undefined ? vocabulary.ids(token.text) : vocabulary.idsOfBytes(token.raw);
    if (!found.length && token.raw === undefined) found = otherQuotes(token.text).flatMap((other) => vocabulary.ids(other));
    if (!found.length) {
      unknown.push(token.text);
      return UNK;
    }
    const unlike = (id) => ((vocabulary.flag(id) ^ token.flags) & (last ? 1 : 3)) !== 0;
    return found.find((id) => !unlike(id)) ?? found[0];
  });
  return { ids: [...start, ...ids], text, tokens: tokens.length, unknown: [...new Set(unknown)] };
}
