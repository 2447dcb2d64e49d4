// The one network, lib/randformer/core/transformer.py, for one model and one sequence: rows of numbers in and out.
// Weights are the trained 32-bit floats, sums are doubles. Written out rather than run by a library: a runtime weighs
// a hundred times as much as the networks, and this can be read.
"use strict";

/** A model of NETWORKS made usable: {name, seed, network, w: {name: {data, shape}}}. */
function unpacked(problem, kind, index) {
  const { network, shapes, [kind]: models } = NETWORKS[problem];
  const bytes = Uint8Array.from(atob(models[index].weights), (letter) => letter.charCodeAt(0));
  const numbers = new Float32Array(bytes.buffer);
  const w = {};
  let start = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((product, axis) => product * axis, 1);
    w[name] = { data: numbers.subarray(start, start + size), shape };
    start += size;
  }
  return { name: models[index].name, seed: models[index].seed, network, w };
}

/** Outputs (T, outputs) at tokens (T, I); sees(t, s) says whether the token at t sees the one at s.
 *  memory: nothing yet; given again, tokens go on where the last ones ended, and see all that it has kept of them. */
function forward(model, tokens, sees, memory = nothing(model)) {
  const { network, w } = model;
  let x = embed(model, tokens);
  for (let i = 0; i < network.layers; i++) {
    x = sum(x, attend(model, i, network.layer_norm ? norm(w, `${i}.norm_attention`, x) : x, sees, memory[i]));
    if (network.mlp) {
      const y = linear(network.layer_norm ? norm(w, `${i}.norm_mlp`, x) : x, w[`${i}.mlp_in.w`], w[`${i}.mlp_in.b`]);
      x = sum(x, linear(y.map((row) => row.map(gelu)), w[`${i}.mlp_out.w`], w[`${i}.mlp_out.b`]));
    }
  }
  return linear(x, w["output.w"], w["output.b"]);
}

/** Keys and values of each layer, before the first token. */
function nothing({ network }) {
  return Array.from({ length: network.layers }, () => ({ keys: [], values: [] }));
}

function embed({ network, w }, tokens) {
  let x = tokens;
  for (let i = 0; i < network.embedding; i++) {
    if (i) x = x.map((row) => row.map(gelu));
    x = linear(x, w[`embed${i}.w`], w[`embed${i}.b`]);
  }
  return x;
}

/** What attention of one layer adds to x (T, D); kept: its keys and values, to which those of x are added. */
function attend({ network, w }, layer, x, sees, kept) {
  const queries = linear(x, w[`${layer}.query`]);
  kept.keys.push(...linear(x, w[`${layer}.key`]));
  kept.values.push(...linear(x, w[`${layer}.value`]));
  const size = network.key_size;
  const mixed = queries.map((query, t) => {
    const out = new Float64Array(query.length);
    const seen = [...kept.keys.keys()].filter((s) => sees(t, s));
    for (let from = 0; from < query.length; from += size) { // a head's numbers lie side by side
      let weights = seen.map((s) => dot(query, kept.keys[s], from, size));
      if (network.attention === "softmax") weights = softmax(weights.map((score) => score / Math.sqrt(size)));
      seen.forEach((s, j) => {
        for (let i = from; i < from + size; i++) out[i] += weights[j] * kept.values[s][i];
      });
    }
    return out;
  });
  return linear(mixed, w[`${layer}.out`]);
}

/** Rows (T, I) times a weight (I, O), plus a bias (O) where there is one. Tokens are mostly zeros: those cost nothing. */
function linear(rows, { data, shape: [inputs, outputs] }, bias) {
  return rows.map((row) => {
    const out = new Float64Array(outputs);
    if (bias) out.set(bias.data);
    for (let i = 0; i < inputs; i++) {
      const x = row[i];
      if (x === 0) continue;
      for (let o = 0, at = i * outputs; o < outputs; o++, at++) out[o] += x * data[at];
    }
    return out;
  });
}

function norm(w, name, x) {
  return x.map((row) => {
    const mean = row.reduce((total, y) => total + y, 0) / row.length;
    const variance = row.reduce((total, y) => total + (y - mean) ** 2, 0) / row.length;
    return row.map((y, i) => ((y - mean) / Math.sqrt(variance + 1e-5)) * w[`${name}.scale`].data[i] + w[`${name}.shift`].data[i]);
  });
}

function softmax(scores) {
  const largest = Math.max(...scores);
  const exponentials = Array.from(scores, (score) => Math.exp(score - largest));
  const total = exponentials.reduce((all, one) => all + one, 0);
  return exponentials.map((one) => one / total);
}

function gelu(x) {
  return (x / 2) * (1 + erf(x / Math.SQRT2));
}

/** The error function: 2 / sqrt(pi) exp(-x^2) times the sum of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)), no term negative. */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

function dot(a, b, from, size) {
  let total = 0;
  for (let i = from; i < from + size; i++) total += a[i] * b[i];
  return total;
}

function sum(a, b) {
  return a.map((row, t) => row.map((x, i) => x + b[t][i]));
}

function argmax(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}
