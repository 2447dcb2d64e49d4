// Every cycle on n vertices, and which of them a network colours wrongly: the adversary of section 3.3.
"use strict";

/** All (n - 1)! / 2 cycles, one after the other: walks from 0 towards the smaller of its neighbours, n ids each. */
function allCycles(n) {
  const cycles = new Uint8Array((n * range(n - 1).reduce((product, i) => product * (i + 1), 1)) / 2);
  const walk = [0];
  let end = 0;
  const go = () => {
    if (walk.length === n) {
      if (walk[1] < walk[n - 1]) cycles.set(walk, (end += n) - n);
      return;
    }
    for (let id = 1; id < n; id++) {
      if (walk.includes(id)) continue;
      walk.push(id);
      go();
      walk.pop();
    }
  };
  go();
  return cycles;
}

/** Colour of each vertex v in each walk p a v b s under a seed, at (((p n + a) n + v) n + b) n + s of a flat array.
 *  After two layers of linear attention to its neighbours a vertex depends on nothing else, and what each of them adds
 *  is a number, query times key, of a vector of its own. So all 181,440 cycles of ten vertices are coloured in a blink. */
function colorTable({ network, w }, seed) {
  console.assert(network.layers === 2 && network.attention === "linear" && !network.mlp && !network.layer_norm);
  const { n, colors } = coloring;
  const ids = range(n);
  const around = ids.flatMap((a) => ids.flatMap((v) => ids.filter((b) => a !== v && v !== b && a !== b).map((b) => [a, v, b])));
  const at = (a, v, b) => (a * n + v) * n + b;
  const parts = (x, layer) => {
    const [q, k, values] = ["query", "key", "value"].map((name) => linear(x, w[`${layer}.${name}`]));
    return { q, k, adds: linear(values, w[`${layer}.out`]) };
  };

  const x = embed({ network, w }, ids.map((id) => [...ids.map((i) => Number(i === id)), seed[id]]));
  const one = parts(x, 0);
  const states = [];
  for (const [a, v, b] of around) {
    const [left, right] = [a, b].map((other) => dot(one.q[v], one.k[other], 0, network.key_size));
    states.push(x[v].map((number, i) => number + left * one.adds[a][i] + right * one.adds[b][i]));
  }
  const two = parts(states, 1);
  const rowOf = new Int32Array(n ** 3);
  around.forEach(([a, v, b], row) => (rowOf[at(a, v, b)] = row));
  const own = linear(states, w["output.w"], w["output.b"]);
  const adds = linear(two.adds, w["output.w"]);

  const table = new Uint8Array(n ** 5);
  around.forEach(([a, v, b], row) => {
    const from = (other) => dot(two.q[row], two.k[other], 0, network.key_size);
    const rest = ids.filter((id) => id !== a && id !== v && id !== b);
    const rights = rest.map((s) => rowOf[at(v, b, s)]).map((other) => adds[other].map((number) => number * from(other)));
    for (const p of rest) {
      const left = rowOf[at(p, a, v)];
      const score = from(left);
      rest.forEach((s, j) => {
        const logits = range3.map((c) => own[row][c] + score * adds[left][c] + rights[j][c]);
        table[(p * n ** 2 + a * n + v) * n ** 2 + b * n + s] = argmax(logits);
      });
    }
  });
  return table;
}

const range3 = range(coloring.colors);

/** How many edges of each cycle have ends of one colour, (cycles,). */
function clashesOfAll(cycles, table) {
  const { n } = coloring;
  const found = new Uint8Array(cycles.length / n);
  for (let cycle = 0; cycle < found.length; cycle++) {
    const start = cycle * n;
    let view = 0;
    for (let i = n - 4; i < n; i++) view = view * n + cycles[start + i];
    let before = -1;
    let first = -1;
    for (let i = 0; i < n; i++) {
      view = (view * n + cycles[start + i]) % n ** 5; // the last five of the walk: the middle one stands two back
      const color = table[view];
      if (i === 0) first = color;
      else found[cycle] += Number(color === before);
      before = color;
    }
    found[cycle] += Number(before === first);
  }
  return found;
}
