// What the three panels are made of.
"use strict";

const SEEDS = 30; // that vote, as in the paper
const KINDS = ["fixed", "random"];

/** An element with properties (text, on<event>, or attributes) and children; svg: in a drawing. */
function element(tag, given = {}, ...children) {
  const node = given.svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name !== "svg" && value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

const drawn = (tag, given, ...children) => element(tag, { svg: true, ...given }, ...children);

/** A panel's part of that class, in the section of that id. */
const part = (panel, name) => document.querySelector(`#${panel} .${name}`);

/** Buttons into a panel's controls, and a choice of the repetition of the training, which calls chosen(index). */
function controls(panel, buttons, problem, chosen) {
  const count = NETWORKS[problem].random.length;
  const options = range(count).map((i) => element("option", { value: i, text: `run ${i + 1} of ${count}` }));
  const choice = element("select", { onchange: (event) => chosen(Number(event.target.value)) }, ...options);
  part(panel, "controls").append(
    ...Object.entries(buttons).map(([text, onclick]) => element("button", { type: "button", text, onclick })),
    element("label", { text: "trained network " }, choice),
  );
}

/** The two models of a repetition; where fewer were trained with a fixed seed, its last one. */
function pair(problem, index) {
  const of = (kind) => unpacked(problem, kind, Math.min(index, NETWORKS[problem][kind].length - 1));
  return { fixed: of("fixed"), random: of("random") };
}

let running = {}; // by panel: what goes on there, until something else begins

/** Do work(i) for i from 0 to count - 1 a little at a time, calling shown() in between; resolves to whether it ended.
 *  slowly: one at a time, to be watched, unless the reader wants no motion. */
async function little(panel, count, work, shown, slowly = false) {
  const mine = (running[panel] = {});
  const watched = slowly && !matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (let i = 0; i < count; ) {
    const until = performance.now() + 25;
    do work(i++);
    while (i < count && !watched && performance.now() < until);
    shown(i);
    await new Promise((resolve) => setTimeout(resolve, watched ? 40 : 0));
    if (running[panel] !== mine) return false;
  }
  return true;
}

const percent = (share) => `${Math.round(100 * share)} %`;

/** How many of equal answers, [{answer, count}], the most frequent first; among equals the one given first. */
function counted(answers) {
  const counts = new Map();
  for (const answer of answers) counts.set(String(answer), (counts.get(String(answer)) || 0) + 1);
  return [...counts].map(([answer, count]) => ({ answer, count })).sort((a, b) => b.count - a.count);
}

/** Bars of votes, at most five; right(answer) marks those that are. */
function bars(answers, right, told) {
  const all = counted(answers);
  const rows = all.slice(0, 5).map(({ answer, count }) => {
    const good = right(answer);
    return element(
      "div",
      { class: good ? "bar right" : "bar wrong" },
      element("span", { class: "name", text: `${good ? "✓" : "✗"} ${told(answer)}` }),
      element("span", { class: "track" }, element("span", { class: "fill", style: `width: ${(100 * count) / SEEDS}%` })),
      element("span", { class: "count", text: count }),
    );
  });
  if (all.length > 5) rows.push(element("div", { class: "bar", text: `and ${all.length - 5} other answers` }));
  return rows;
}

/** Seeds of a model: its own one for all votes where it is fixed, else drawn. */
const seedOf = (model, draw) => model.seed || draw();
