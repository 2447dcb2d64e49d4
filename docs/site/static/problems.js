// What the three problems show the network and read off it: lib/randformer/problems/*/task.py for one model.
"use strict";

const range = (n) => Array.from({ length: n }, (_, i) => i);

/** Section 3.2: values of n keys, of which the memory holds some. */
const recall = {
  ...NETWORKS.recall.task,

  /** Logits (n, bits) of the value of every key, asked for all n side by side; seed: zeros and ones. */
  logits(model, values, seed) {
    const { n, bits } = recall;
    const hot = (key) => range(n).map((i) => Number(i === key));
    const pairs = range(n).map((key) => [...recall.split(values[key]), ...hot(key), ...seed]);
    const queries = range(n).map((key) => [...Array(bits).fill(0), ...hot(key), ...seed]);
    const sees = (t, s) => s === t || (s < t && s < n); // no query sees another one
    return forward(model, [...pairs, ...queries], sees).slice(n);
  },

  /** A value's bits, the lowest first. */
  split: (value) => range(recall.bits).map((i) => (value >> i) & 1),

  join: (bits) => bits.reduce((value, bit, i) => value + (bit << i), 0),

  answers: (logits) => logits.map((row) => recall.join(Array.from(row, (x) => Number(x > 0)))),

  drawValues: () => range(recall.n).map(() => Math.floor(Math.random() * 2 ** recall.bits)),

  drawSeed: () => recall.seedOf(Math.floor(Math.random() * 2 ** recall.seed_bits)),

  /** The seed of that number: all 2^seed_bits can be listed. */
  seedOf: (number) => range(recall.seed_bits).map((i) => (number >> i) & 1),
};

/** Section 3.3: colours for a cycle, a walk around n vertices. */
const coloring = {
  ...NETWORKS.coloring.task,
  colors: 3,

  /** Logits (n, 3) of the vertices along the walk; seed: a number from 0 to 1 for each vertex by its id. */
  logits(model, cycle, seed) {
    const { n } = coloring;
    const tokens = cycle.map((id) => [...range(n).map((i) => Number(i === id)), seed[id]]);
    const sees = (t, s) => (t + 1) % n === s || (s + 1) % n === t;
    return forward(model, tokens, sees);
  },

  answers: (logits) => logits.map(argmax),

  /** The edges (i, i + 1) along the walk whose ends share a colour, by i. */
  clashes: (colors) => range(colors.length).filter((i) => colors[i] === colors[(i + 1) % colors.length]),

  drawCycle() {
    const cycle = range(coloring.n);
    for (let i = cycle.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [cycle[i], cycle[j]] = [cycle[j], cycle[i]];
    }
    return cycle;
  },

  drawSeed: () => range(coloring.n).map(() => Math.random()),
};

/** Section 3.4: two episodes of a search on an n x n grid, from cell 0. */
const gridworld = {
  ...NETWORKS.gridworld.task,
  mixture: NETWORKS.gridworld.mixture, // walks, each with its chance
  cells: NETWORKS.gridworld.task.n ** 2,
  moves: [[1, 0], [-1, 0], [0, 1], [0, -1]], // rows up, columns right

  /** {walks: [first, second], logits: (steps, 4)} of an agent with the treasure in a cell, step by step.
   *  Without a treasure (null) the first episode alone, to its last step. */
  play(model, treasure, seed) {
    const { n, episode, seed_size } = gridworld;
    const places = 2 * episode + 2;
    const memory = nothing(model);
    const all = () => true; // a token sees itself and all before it
    let place = 0;
    const see = (state, reward, start = Array(seed_size).fill(0)) => {
      const token = [...start, ...state, reward, ...range(places).map((i) => Number(i === place))];
      place += 1;
      return forward(model, [token], all, memory)[0];
    };
    const at = (cell) => range(2 * n).map((i) => Number(i === Math.floor(cell / n) || i === n + (cell % n)));
    see(Array(2 * n).fill(0), 0, seed);
    const logits = [];
    const walks = range(treasure === null ? 1 : 2).map((which) => {
      const walk = [0];
      let said = see(at(0), 0);
      while (walk.length <= episode && walk.at(-1) !== treasure) {
        logits.push(said);
        const cell = gridworld.next(walk.at(-1), argmax(said));
        walk.push(cell);
        if (place < places && (which === 0 || cell !== treasure)) said = see(at(cell), cell === treasure ? 1 : -0.1);
      }
      return walk;
    });
    return { walks, logits };
  },

  /** The cell after a step; into a wall it stays where it is. */
  next(cell, move) {
    const { n, moves } = gridworld;
    const clamp = (x) => Math.min(Math.max(x, 0), n - 1);
    return clamp(Math.floor(cell / n) + moves[move][0]) * n + clamp((cell % n) + moves[move][1]);
  },

  /** Steps (cells,) after which a walk first enters each cell; most where it does not. */
  firstVisits(walk, most = gridworld.episode) {
    return range(gridworld.cells).map((cell) => {
      const step = walk.indexOf(cell);
      return step < 0 ? most : Math.min(step, most);
    });
  },

  /** A normal number, by Box and Muller. */
  drawNormal: () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()),

  drawSeed: () => range(gridworld.seed_size).map(gridworld.drawNormal),

  /** A walk of the best mixture, as often as its chance. */
  drawWalk() {
    let left = Math.random();
    return (gridworld.mixture.find(({ chance }) => (left -= chance) < 0) || gridworld.mixture[0]).walk;
  },

  /** What such a walk does with the treasure in a cell: the second episode takes a shortest way. Where the first has
   *  not found it in an episode's steps there is no second one: in the solved game episodes have no last step. */
  bestPlay(walk, treasure) {
    const { n, episode } = gridworld;
    const first = walk.slice(0, Math.min(walk.indexOf(treasure), episode) + 1);
    if (first.at(-1) !== treasure) return [first];
    const second = [0];
    while (second.at(-1) !== treasure) second.push(second.at(-1) + (second.at(-1) % n < treasure % n ? 1 : n));
    return [first, second];
  },
};
