// The panel of section 3.3: a cycle's vertices coloured by a network that sees neighbours only.
"use strict";

const SCORED = 50; // seeds on which the adversary chooses a cycle, and as many others on which it is scored
const SHAPES = ["circle", "square", "diamond"]; // of the three colours, for who cannot tell colours

const coloringPanel = {
  sides: {}, // by kind: {model, seed, cycle, votes: colourings}
  cycles: null, // all there are, once they are needed

  start() {
    const panel = coloringPanel;
    const buttons = {
      "Shuffle the cycle": () => panel.with(coloring.drawCycle()),
      "New seed": () => panel.seeded(coloring.drawSeed()),
      "Draw 30 seeds": panel.vote,
      "Attack: the worst of all cycles": panel.attack,
    };
    controls("coloring", buttons, "coloring", panel.choose);
    for (const kind of KINDS) panel.build(kind);
    panel.choose(0);
  },

  build(kind) {
    const seed = (id) =>
      element("input", { type: "range", min: 0, max: 1, step: 0.01, disabled: kind === "fixed", "aria-label": `seed of vertex ${id}`, oninput: coloringPanel.dragged });
    part("coloring", kind).append(
      drawn("svg", { viewBox: "-120 -120 240 240", role: "img" }),
      element("p", { class: "kept" }),
      element("div", { class: "sliders" }, ...range(coloring.n).map((id) => element("label", {}, element("span", { text: id }), seed(id)))),
      element("div", { class: "votes" }),
    );
    coloringPanel.sides[kind] = {};
  },

  choose(index) {
    const models = pair("coloring", index);
    for (const kind of KINDS) Object.assign(coloringPanel.sides[kind], { model: models[kind], seed: seedOf(models[kind], coloring.drawSeed) });
    coloringPanel.with(coloringPanel.sides.fixed.cycle || coloring.drawCycle());
  },

  /** Both networks at the same cycle. */
  with(cycle) {
    for (const side of Object.values(coloringPanel.sides)) side.cycle = cycle;
    coloringPanel.cleared();
  },

  /** What was counted is void, what goes on ends. */
  cleared() {
    running.coloring = null;
    for (const side of Object.values(coloringPanel.sides)) side.votes = [];
    coloringPanel.show();
  },

  seeded(seed) {
    coloringPanel.sides.random.seed = seed;
    coloringPanel.cleared();
  },

  dragged() {
    coloringPanel.seeded(Array.from(document.querySelectorAll("#coloring .random input"), (input) => Number(input.value)));
  },

  answer: (side) => coloring.answers(coloring.logits(side.model, side.cycle, side.seed)),

  async vote(verdict) {
    coloringPanel.cleared();
    const one = (side) => {
      side.seed = seedOf(side.model, coloring.drawSeed);
      side.votes.push(coloringPanel.answer(side));
    };
    const told = typeof verdict === "string" ? verdict : "";
    await little("coloring", SEEDS, () => Object.values(coloringPanel.sides).forEach(one), () => coloringPanel.show(told), true);
  },

  /** Of the fixed seed the cycle with the most clashing edges; of random ones that which fewest of 50 seeds colour, scored on 50 others. */
  async attack() {
    coloringPanel.cleared();
    const { fixed, random } = coloringPanel.sides;
    coloringPanel.show("listing all cycles …");
    await new Promise((resolve) => setTimeout(resolve, 20)); // so that this is seen
    coloringPanel.cycles ??= allCycles(coloring.n);
    const { cycles } = coloringPanel;
    const at = (index) => Array.from(cycles.subarray(index * coloring.n, (index + 1) * coloring.n));
    const clashes = clashesOfAll(cycles, colorTable(fixed.model, fixed.seed));
    const failed = new Uint8Array(clashes.length);
    const work = () => clashesOfAll(cycles, colorTable(random.model, coloring.drawSeed())).forEach((count, i) => (failed[i] += Number(count > 0)));
    const tell = (i) => coloringPanel.show(`looking at all ${clashes.length.toLocaleString("en")} cycles under seed ${i} of ${SCORED} …`);
    if (!(await little("coloring", SCORED, work, tell))) return;
    fixed.cycle = at(argmax(clashes));
    random.cycle = at(argmax(failed));
    const valid = (seed) => Number(!coloring.clashes(coloring.answers(coloring.logits(random.model, random.cycle, seed))).length);
    const success = range(SCORED).reduce((total) => total + valid(coloring.drawSeed()), 0) / SCORED;
    const wrong = clashes.filter((count) => count > 0).length;
    await coloringPanel.vote(
      `The fixed seed fails on ${wrong.toLocaleString("en")} of ${clashes.length.toLocaleString("en")} cycles, always; this is the worst. ` +
        `Of random seeds ${percent(success)} of ${SCORED} new ones colour the cycle that is worst for them.`,
    );
  },

  show(verdict = "") {
    for (const kind of KINDS) coloringPanel.showSide(kind, coloringPanel.sides[kind]);
    part("coloring", "verdict").textContent = verdict;
  },

  showSide(kind, side) {
    const colors = coloringPanel.answer(side);
    const clashes = coloring.clashes(colors);
    const where = (name) => part("coloring", `${kind} ${name}`);
    where("svg").replaceChildren(...ring(side.cycle, colors, clashes));
    where("svg").setAttribute("aria-label", `cycle ${side.cycle.join(", ")} in colours ${colors.join(", ")}`);
    where(".kept").textContent = clashes.length ? `✗ ${clashes.length} clashing edge${clashes.length > 1 ? "s" : ""}` : "✓ no edge clashes";
    where(".kept").className = `kept ${clashes.length ? "wrong" : "right"}`;
    document.querySelectorAll(`#coloring .${kind} input`).forEach((input, id) => (input.value = side.seed[id]));
    where(".votes").replaceChildren(...coloringPanel.votes(side));
  },

  /** Which of the seeds colour the cycle, one mark each, and what they elect. */
  votes({ votes }) {
    if (!votes.length) return [element("p", { class: "hint", text: "Draw 30 seeds, and their votes fill up here." })];
    const right = (colors) => !coloring.clashes(colors.split(",")).length;
    const marks = votes.map((colors) => (right(String(colors)) ? "right" : "wrong"));
    const elected = right(counted(votes)[0].answer);
    const good = marks.filter((mark) => mark === "right").length;
    return [
      element("div", { class: "marks", "aria-hidden": "true" }, ...marks.map((mark) => element("span", { class: mark, text: mark === "right" ? "✓" : "✗" }))),
      element("p", { text: `${good} of ${votes.length} seeds colour it` }),
      element("p", { class: elected ? "right" : "wrong", text: `${elected ? "✓" : "✗"} the colouring with most votes` }),
    ];
  },
};

/** A cycle as a ring, its walk clockwise from the top. */
function ring(cycle, colors, clashes) {
  const spot = (i) => {
    const angle = (2 * Math.PI * i) / cycle.length - Math.PI / 2;
    return [95 * Math.cos(angle), 95 * Math.sin(angle)];
  };
  const edges = cycle.map((_, i) => {
    const [x1, y1] = spot(i);
    const [x2, y2] = spot(i + 1);
    const bad = clashes.includes(i);
    const line = drawn("line", { x1, y1, x2, y2, class: bad ? "edge clash" : "edge" });
    return bad ? [line, drawn("text", { x: 0.8 * (x1 + x2) / 2, y: 0.8 * (y1 + y2) / 2, class: "cross" }, "✗")] : [line];
  });
  const vertices = cycle.map((id, i) => {
    const [x, y] = spot(i);
    const shape = { circle: ["circle", { r: 16 }], square: ["rect", { x: -15, y: -15, width: 30, height: 30 }], diamond: ["path", { d: "M0 -20 L20 0 L0 20 L-20 0 Z" }] }[SHAPES[colors[i]]];
    return drawn("g", { transform: `translate(${x} ${y})`, class: `vertex color${colors[i]}` }, drawn(...shape), drawn("text", {}, String(id)));
  });
  return [...edges.flat(), ...vertices];
}
