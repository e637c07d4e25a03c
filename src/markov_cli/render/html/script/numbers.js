// Random numbers by text, step and attempt, as in sampling/random_stream.py: PCG64 (O'Neill 2014) and splitmix64.
// Legend: i is the number of a text, t a step, a an attempt. 64 and 128 bits are BigInt; [0, 1) is a number.
"use strict";

const MASK32 = 0xffffffffn;
const MASK64 = (1n << 64n) - 1n;
const MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n;
const STRIDE = 1n << 40n;  // texts a step: text i at step t uses the number at t * 2**40 + i
const GOLDEN = 0x9e3779b97f4a7c15n;

function mix32(x) {
  return (x ^ (x >>> 16)) >>> 0;
}

// Four words of entropy from a seed: NumPy's SeedSequence.
function seedPool(seed) {
  const words = [];
  for (let rest = seed; rest > 0n; rest >>= 32n) words.push(Number(rest & MASK32));
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    return mix32(Math.imul(value, constant) >>> 0);
  };
  const blend = (x, y) => mix32((Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0);
  const pool = [0, 1, 2, 3].map((i) => hash(words[i] || 0));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = blend(pool[to], hash(pool[from]));
  }
  for (let from = 4; from < words.length; from++) {
    for (let to = 0; to < 4; to++) pool[to] = blend(pool[to], hash(words[from]));
  }
  return pool;
}

function seedWords(seed) {
  const pool = seedPool(seed);
  let constant = 0x8b51f9dd;
  const out = [];
  for (let i = 0; i < 8; i++) {
    const value = (pool[i % 4] ^ constant) >>> 0;
    constant = Math.imul(constant, 0x58f38ded) >>> 0;
    out.push(BigInt(mix32(Math.imul(value, constant) >>> 0)));
  }
  return [0, 2, 4, 6].map((i) => out[i] | (out[i + 1] << 32n));
}

function mix64(x) {
  x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
  x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & MASK64;
  return x ^ (x >> 31n);
}

// Another random number from one, for a step that needs several.
function rehash(raw, times) {
  return mix64((raw + GOLDEN * BigInt(times)) & MASK64);
}

function uniform(raw) {
  return Number(raw >> 11n) * 2 ** -53;
}

class RandomStream {
  constructor(seed) {
    const [a, b, c, d] = seedWords(BigInt(seed));
    this.increment = ((((c << 64n) | d) << 1n) | 1n) & MASK128;
    const state = (this.increment + ((a << 64n) | b)) & MASK128;
    this.begin = (state * MULTIPLIER + this.increment) & MASK128;
    [this.perStep, this.addedPerStep] = this.jump(STRIDE);
  }

  // Factor and summand that advance the state by some numbers (Brown 1994).
  jump(distance) {
    let [factor, summand] = [MULTIPLIER, this.increment];
    let [outFactor, outSummand] = [1n, 0n];
    for (let rest = distance; rest > 0n; rest >>= 1n) {
      if (rest & 1n) {
        outFactor = (outFactor * factor) & MASK128;
        outSummand = (outSummand * factor + summand) & MASK128;
      }
      summand = ((factor + 1n) * summand) & MASK128;
      factor = (factor * factor) & MASK128;
    }
    return [outFactor, outSummand];
  }

  // The numbers of one text, step by step: call the result with 0, 1, 2, ... or any other step.
  text(i, attempt = 0) {
    const [factor, summand] = this.jump(BigInt(i));
    const first = (this.begin * factor + summand) & MASK128;
    let state = first, at = 0;
    return (t) => {
      if (t < at) [state, at] = [first, 0];
      if (t > at + 1) {
        const [f, s] = this.jump(BigInt(t - at) * STRIDE);
        [state, at] = [(state * f + s) & MASK128, t];
      } else if (t > at) {
        [state, at] = [(state * this.perStep + this.addedPerStep) & MASK128, t];
      }
      const next = (state * MULTIPLIER + this.increment) & MASK128;
      const turn = next >> 122n, both = (next >> 64n) ^ (next & MASK64);
      const raw = ((both >> turn) | (both << (64n - turn))) & MASK64;
      return attempt ? rehash(raw ^ (BigInt(attempt) << 32n), 1) : raw;
    };
  }
}

// First index in [low, high) with a value above `target`, else high; the values rise.
function placeIn(values, low, high, target) {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (values[middle] <= target) low = middle + 1;
    else high = middle;
  }
  return low;
}

// First index in [low, high) with a value of at least `target`, else high.
function firstFrom(values, low, high, target) {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (values[middle] < target) low = middle + 1;
    else high = middle;
  }
  return low;
}

// NumPy's rint: halves go to the even number.
function rint(x) {
  const low = Math.floor(x), rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}
