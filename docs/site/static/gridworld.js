// The panel of section 3.4: two episodes of a search for a treasure on a grid.
"use strict";

const gridPanel = {
  treasure: gridworld.cells - 1,
  sides: {}, // by kind, "mixture" too: {model, seed, walks, visits: steps summed over seeds seen, found: by how many, seen}

  start() {
    const panel = gridPanel;
    const buttons = {
      "New seed": panel.seeded,
      "Draw 30 seeds": () => panel.seedsDrawn(SEEDS),
      "Attack: the cell found last": panel.attack,
    };
    controls("gridworld", buttons, "gridworld", panel.choose);
    for (const kind of [...KINDS, "mixture"]) panel.build(kind);
    panel.choose(0);
  },

  build(kind) {
    const { n } = gridworld;
    const board = drawn("svg", { viewBox: `0 0 ${40 * n} ${40 * n}`, role: "group", "aria-label": "grid, the start in the lower left corner" });
    for (const cell of range(gridworld.cells)) {
      const [x, y] = corner(cell);
      const square = drawn("rect", { x, y, width: 40, height: 40, class: "cell" });
      if (cell) {
        square.addEventListener("click", () => gridPanel.place(cell));
        square.addEventListener("keydown", (event) => gridPanel.moved(event, kind));
        square.setAttribute("role", "button");
      }
      board.append(square, drawn("text", { x: x + 37, y: y + 8, class: "visits" }));
    }
    board.append(drawn("g", { class: "walks" }));
    part("gridworld", kind).append(board, element("p", { class: "kept" }), element("p", { class: "hint" }));
    gridPanel.sides[kind] = {};
  },

  choose(index) {
    const models = pair("gridworld", index);
    for (const kind of KINDS) gridPanel.sides[kind].model = models[kind];
    for (const side of Object.values(gridPanel.sides)) Object.assign(side, gridPanel.unseen());
    gridPanel.seeded();
  },

  unseen: () => ({ visits: Array(gridworld.cells).fill(0), found: Array(gridworld.cells).fill(0), seen: 0 }),

  /** The treasure in a cell; the same seeds walk anew. */
  place(cell) {
    gridPanel.treasure = cell;
    gridPanel.replay();
    gridPanel.show();
  },

  /** Arrow keys move the treasure. */
  moved(event, kind) {
    const move = ["ArrowUp", "ArrowDown", "ArrowRight", "ArrowLeft"].indexOf(event.key);
    if (move < 0) return;
    event.preventDefault();
    const cell = gridworld.next(gridPanel.treasure, move);
    if (!cell) return;
    gridPanel.place(cell);
    document.querySelectorAll(`#gridworld .${kind} rect`)[cell].focus();
  },

  seeded() {
    running.gridworld = null;
    gridPanel.draw();
    gridPanel.show();
  },

  /** A new seed for each: its first walk counts towards the heat map. */
  draw() {
    const { fixed, random, mixture } = gridPanel.sides;
    fixed.seed = fixed.model.seed;
    random.seed = gridworld.drawSeed();
    mixture.seed = gridworld.drawWalk();
    for (const side of Object.values(gridPanel.sides)) {
      const whole = side.model ? gridworld.play(side.model, null, side.seed).walks[0] : side.seed;
      gridworld.firstVisits(whole).forEach((step, cell) => {
        side.visits[cell] += step;
        side.found[cell] += Number(whole.indexOf(cell, 1) > 0);
      });
      side.seen += 1;
    }
    gridPanel.replay();
  },

  replay() {
    const { treasure } = gridPanel;
    for (const side of Object.values(gridPanel.sides)) {
      side.walks = side.model ? gridworld.play(side.model, treasure, side.seed).walks : gridworld.bestPlay(side.seed, treasure);
    }
  },

  seedsDrawn: (count) => little("gridworld", count, gridPanel.draw, () => gridPanel.show(), true),

  /** The cell that each finds last on the mean of 100 seeds; the treasure goes to that of random seeds. */
  async attack() {
    const count = 100;
    for (const side of Object.values(gridPanel.sides)) Object.assign(side, gridPanel.unseen());
    const tell = (i) => gridPanel.show(`seed ${i} of ${count} …`);
    if (!(await little("gridworld", count, gridPanel.draw, tell))) return;
    const last = ({ visits }) => argmax(visits);
    const { fixed, random, mixture } = gridPanel.sides;
    const told = (side) => `${(side.visits[last(side)] / side.seen).toFixed(1)} steps`;
    gridPanel.place(last(fixed));
    gridPanel.show(
      `Mean steps of the first episode until the cell that is found last, ${gridworld.episode} at most: ` +
        `fixed seed ${told(fixed)}, random seeds ${told(random)}, best mixture ${told(mixture)}, each at its own worst cell. The treasure lies where the fixed seed fails.`,
    );
  },

  show(verdict = "") {
    for (const [kind, side] of Object.entries(gridPanel.sides)) gridPanel.showSide(kind, side);
    part("gridworld", "verdict").textContent = verdict;
  },

  showSide(kind, side) {
    const where = (name) => document.querySelectorAll(`#gridworld .${kind} ${name}`);
    const [walks] = where(".walks");
    const { treasure } = gridPanel;
    where("rect").forEach((square, cell) => {
      const mean = side.visits[cell] / side.seen;
      square.style.fillOpacity = cell ? 0.75 * (mean / gridworld.episode) : 0;
      square.setAttribute("tabindex", cell === treasure ? 0 : -1);
      square.setAttribute("aria-label", `cell ${cell}, first visited after ${mean.toFixed(1)} steps${cell === treasure ? ", the treasure" : ""}`);
      where(".visits")[cell].textContent = !cell ? "start" : side.found[cell] ? Math.round(mean) : "never";
    });
    walks.replaceChildren(...side.walks.map((walk, episode) => path(walk, episode)), star(treasure));
    const steps = side.walks.map((walk) => walk.length - 1);
    const found = side.walks.map((walk) => walk.at(-1) === treasure);
    const told = steps.map((step, i) => `${found[i] ? "✓" : "✗"} episode ${i + 1}: ${found[i] ? `${step} steps` : `not found in ${step}`}`);
    where(".kept")[0].textContent = told.join(" · ");
    where(".hint")[0].textContent = `shade and numbers: mean step of the first visit, over ${side.seen} ${side.model ? "seed" : "walk"}${side.seen > 1 ? "s" : ""}`;
  },
};

/** The upper left corner of a cell in the drawing; cells are numbered row by row from below. */
function corner(cell) {
  const { n } = gridworld;
  return [40 * (cell % n), 40 * (n - 1 - Math.floor(cell / n))];
}

/** A walk as a line; the second episode's is dashed and lies beside the first's. */
function path(walk, episode) {
  const [right, down] = episode ? [21, 29] : [14, 22]; // beside each other, and clear of the numbers
  const spots = walk.map(corner).map(([x, y]) => [x + right, y + down]);
  const [cx, cy] = spots.at(-1);
  const line = drawn("polyline", { points: spots.join(" ") });
  return drawn("g", { class: `walk episode${episode + 1}` }, line, drawn("circle", { cx, cy, r: 4 }));
}

function star(cell) {
  const [x, y] = corner(cell);
  return drawn("text", { x: x + 30, y: y + 24, class: "treasure" }, "★");
}
