// The panel of section 3.2: which of 20 pairs a network keeps under a seed.
"use strict";

const recallPanel = {
  values: recall.drawValues(),
  sides: {}, // by kind: {model, seed, key that is asked for, right: how often each key was, seeds: of how many, votes}

  start() {
    const panel = recallPanel;
    const buttons = {
      "Shuffle the values": () => panel.with({ values: recall.drawValues() }),
      "New seed": () => panel.seeded(recall.drawSeed()),
      "Draw 30 seeds": panel.vote,
      "Attack: ask for the worst key": panel.attack,
    };
    controls("recall", buttons, "recall", (index) => panel.choose(pair("recall", index)));
    const value = (key) => element("input", { type: "number", min: 0, max: 2 ** recall.bits - 1, onchange: panel.typed, "aria-label": `value of key ${key}` });
    part("recall", "values").append(...range(recall.n).map((key) => element("label", {}, element("span", { text: `key ${key}` }), value(key))));
    for (const kind of KINDS) panel.build(kind);
    panel.choose(pair("recall", 0));
  },

  build(kind) {
    const bit = (i) =>
      element("button", { type: "button", disabled: kind === "fixed", "aria-label": `seed bit ${i + 1}`, onclick: () => recallPanel.flip(i) });
    part("recall", kind).append(
      element("div", { class: "seed" }, element("span", { text: "seed" }), ...range(recall.seed_bits).map(bit)),
      element("p", { class: "kept" }),
      element("div", { class: "tiles" }, ...range(recall.n).map((key) => element("button", { type: "button", onclick: () => recallPanel.ask(key) }))),
      element("div", { class: "votes" }),
    );
    recallPanel.sides[kind] = { key: 0, seed: recall.drawSeed() };
  },

  choose(models) {
    for (const kind of KINDS) Object.assign(recallPanel.sides[kind], { model: models[kind], seed: seedOf(models[kind], recall.drawSeed) });
    recallPanel.with({});
  },

  /** New values, or a new model: what was counted is void. */
  with({ values = recallPanel.values }) {
    running.recall = null;
    recallPanel.values = values;
    document.querySelectorAll("#recall .values input").forEach((input, key) => (input.value = values[key]));
    for (const side of Object.values(recallPanel.sides)) Object.assign(side, { right: Array(recall.n).fill(0), seeds: 0, votes: [] });
    recallPanel.show();
  },

  typed() {
    const whole = (text) => Math.min(Math.max(Math.round(Number(text)) || 0, 0), 2 ** recall.bits - 1);
    recallPanel.with({ values: Array.from(document.querySelectorAll("#recall .values input"), (input) => whole(input.value)) });
  },

  seeded(seed) {
    recallPanel.sides.random.seed = seed;
    recallPanel.with({});
  },

  flip(i) {
    recallPanel.seeded(recallPanel.sides.random.seed.map((bit, j) => (i === j ? 1 - bit : bit)));
  },

  ask(key) {
    for (const side of Object.values(recallPanel.sides)) side.key = key;
    recallPanel.with({});
  },

  /** What a side says under a seed: counted for every key, and as a vote on the key that is asked for. */
  look(side, seed) {
    side.seed = seed;
    const logits = recall.logits(side.model, recallPanel.values, seed);
    recall.answers(logits).forEach((answer, key) => (side.right[key] += Number(answer === recallPanel.values[key])));
    side.seeds += 1;
    return logits;
  },

  async vote() {
    recallPanel.with({});
    const one = (side) => side.votes.push(recallPanel.look(side, seedOf(side.model, recall.drawSeed))[side.key]);
    await little("recall", SEEDS, () => Object.values(recallPanel.sides).forEach(one), recallPanel.show, true);
  },

  /** Of each network the key that is right under the fewest of all seeds there are; then a vote on it. */
  async attack() {
    recallPanel.with({});
    const { fixed, random } = recallPanel.sides;
    recallPanel.look(fixed, fixed.seed);
    const count = 2 ** recall.seed_bits;
    const showing = (i) => recallPanel.show(`looking at seed ${i} of ${count}, all there are …`);
    if (!(await little("recall", count, (i) => recallPanel.look(random, recall.seedOf(i)), showing))) return;
    const told = Object.values(recallPanel.sides).map((side) => {
      side.key = argmax(side.right.map((right) => -right));
      return percent(side.right[side.key] / side.seeds);
    });
    const vote = (side) => side.votes.push(recall.logits(side.model, recallPanel.values, seedOf(side.model, recall.drawSeed))[side.key]);
    const found = `The adversary's key: ${fixed.key} of the fixed seed, right ${told[0]} of the time; ${random.key} of the random seeds, right under ${told[1]} of all ${count}.`;
    await little("recall", SEEDS, () => Object.values(recallPanel.sides).forEach(vote), () => recallPanel.show(found), true);
  },

  show(verdict) {
    for (const kind of KINDS) recallPanel.showSide(kind, recallPanel.sides[kind]);
    part("recall", "verdict").textContent = typeof verdict === "string" ? verdict : "";
  },

  showSide(kind, side) {
    const { values } = recallPanel;
    const answers = recall.answers(recall.logits(side.model, values, side.seed));
    const where = (name) => part("recall", `${kind} .${name}`);
    where("seed").querySelectorAll("button").forEach((button, i) => {
      button.textContent = side.seed[i];
      button.setAttribute("aria-pressed", String(side.seed[i] === 1));
    });
    const kept = answers.filter((answer, key) => answer === values[key]).length;
    where("kept").textContent = `keeps ${kept} of ${recall.n} pairs under this seed`;
    where("tiles").querySelectorAll("button").forEach((tile, key) => {
      const right = answers[key] === values[key];
      const share = side.seeds ? side.right[key] / side.seeds : 0;
      tile.className = `${right ? "right" : "wrong"}${key === side.key ? " asked" : ""}`;
      tile.setAttribute("aria-label", `ask for key ${key}: says ${answers[key]}, ${right ? "right" : `wrong, it is ${values[key]}`}`);
      tile.replaceChildren(
        element("span", { class: "key", text: key }),
        element("span", { class: "said", text: `${right ? "✓" : "✗"} ${answers[key]}` }),
        element("span", { class: "bits" }, ...recallPanel.bits(answers[key], values[key])),
        element("span", { class: "share" }, element("span", { style: `width: ${100 * share}%` })),
      );
    });
    where("votes").replaceChildren(...recallPanel.votes(side));
  },

  /** The highest bit first, as numbers are written; each right or wrong. */
  bits: (said, value) =>
    recall.split(said).map((bit, i) => element("span", { class: bit === recall.split(value)[i] ? "right" : "wrong", text: bit })).reverse(),

  /** What the seeds elect for the key that is asked for: by whole answers, and by probabilities averaged bit by bit. */
  votes({ votes, key }) {
    const value = recallPanel.values[key];
    const heading = element("h4", { text: `Asked for key ${key}, whose value is ${value}` });
    if (!votes.length) return [heading, element("p", { class: "hint", text: "Draw 30 seeds, and their votes fill up here." })];
    const answers = recall.answers(votes);
    const sigmoid = (x) => 1 / (1 + Math.exp(-x));
    const mean = (i) => votes.reduce((total, logits) => total + sigmoid(logits[i]), 0) / votes.length;
    const together = recall.join(range(recall.bits).map((i) => Number(mean(i) > 0.5)));
    const elected = Number(counted(answers)[0].answer);
    const line = (how, answer) => element("p", { class: answer === value ? "right" : "wrong", text: `${answer === value ? "✓" : "✗"} ${how}: ${answer}` });
    return [heading, ...bars(answers, (answer) => Number(answer) === value, String), line("majority of answers", elected), line("probabilities averaged", together)];
  },
};
