"""The episodes of many agents, compiled: what task.Agents walks, to rounding, at a fraction of the cost.

One agent at a time. LANES of its seeds play the first episode side by side, and keys and values stay. In the second a
lane plays one treasure cell of its seed after the other, each from the keys and values of the first episode up to the
step that finds it. A lane whose seed has no cell left takes those of the seed that has most.

Shapes: K agents, m seeds, C cells, E steps of an episode, D width, L lanes.
"""

from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numba import njit

from randformer.core import lanes, tokens
from randformer.core.lanes import HOW, LANES, clear, compiled, get, load, put, store
from randformer.core.tokens import step


class Room(NamedTuple):
    """Where a token is worked on, and what each lane is at; flat arrays."""

    x: np.ndarray  # (D, L)
    y: np.ndarray  # (4 D or 3 H d, L)
    z: np.ndarray  # the same
    weights: np.ndarray  # (tokens, L)
    kept: np.ndarray  # (layers, tokens, 2 H d, L): keys and values
    origin: np.ndarray  # the same: as the first episode left them
    sees: np.ndarray  # (2, L): the last token of each episode that it sees
    at: np.ndarray  # (L,): where its token's keys and values are kept
    cell: np.ndarray  # (L,): where it stands
    seed: np.ndarray  # (L,): -1 for none yet
    target: np.ndarray  # (L,): the treasure's cell, 0 for all that the first episode has not found, -1 for none
    own: np.ndarray  # (L,): tokens that it has of its second episode
    todo: np.ndarray  # (L,): treasure cells that a seed has still to play
    back: np.ndarray  # (L,): the step of its first episode up to which none has been played


@compiled
def embed(x, lane, width, states, places, reward, cell, place, earned):
    """x (D, L) of one lane: a token that says where it is, and what the last step earned. Flat tables of one agent."""
    for d in range(width):
        where = get(states, cell * width + d) + get(places, place * width + d)
        put(x, d * LANES + lane, where + earned * get(reward, d))


@compiled
def best(y, lane, outputs):
    """The most probable output of a lane, the first where several are."""
    action = 0
    for a in range(1, outputs):
        if get(y, a * LANES + lane) > get(y, action * LANES + lane):
            action = a
    return action


@njit(inline="always", **HOW)
def first_episode(agent, room, walks, begin, count):
    """So many seeds from begin on, as if nothing were ever found: first (m, E + 1), found, visits (m, C)."""
    w, network, starts, states, places, reward, onwards, earned, _ = agent
    first, _, found, visits, _ = walks
    for lane in range(LANES):
        room.cell[lane] = 0
    for t in range(first.shape[1]):
        clear(room.x, network[0])
        for lane in range(LANES):
            room.at[lane], room.sees[lane] = t, t
        for lane in range(count):
            if t == 0:
                for d in range(network[0]):
                    put(room.x, d * LANES + lane, starts[begin + lane, d])
            else:
                gained = earned if t > 1 else np.float32(0)
                embed(room.x, lane, network[0], states, places, reward, room.cell[lane], t, gained)
        step(room, room.kept, w, network, room.at, room.sees, t + 1, np.int64(0), np.int64(0))
        if t > 0:
            for lane in range(count):
                seed, cell = begin + lane, onwards[room.cell[lane], best(room.y, lane, network[4])]
                room.cell[lane] = first[seed, t] = cell
                if cell > 0 and not found[seed, cell]:
                    found[seed, cell] = True
                    visits[seed, cell] = t


@njit(inline="always", **HOW)
def second_episode(agent, room, walks, begin, count):
    """And again with each treasure: second (m, C, E), again (m, C)."""
    w, network, _, states, places, reward, onwards, earned, prize = agent
    first, second, found, visits, again = walks
    cells, episode = second.shape[1], second.shape[2]
    for i in range(0, len(room.kept), LANES):
        store(room.origin, i, load(room.kept, i))
    for j in range(count):
        reached = 0
        for cell in range(cells):
            reached += found[begin + j, cell]
        room.todo[j], room.back[j] = min(reached + 1, cells - 1), episode + (reached < cells - 1)
    active = np.int64(0)
    for lane in range(LANES):
        room.seed[lane], room.own[lane] = lane if lane < count else -1, 0
        active += next_target(lane, room, first, visits, begin, count, network)
    while active:
        seen, most = np.int64(0), np.int64(0)
        clear(room.x, network[0])
        for lane in range(LANES):
            target, own = room.target[lane], room.own[lane]
            if target < 0:
                continue
            j = begin + room.seed[lane]
            end = visits[j, target] if target > 0 else episode
            gained = earned if own > 1 else np.float32(0)
            if own == 0:
                room.cell[lane] = target if target > 0 else first[j, episode]
                gained = prize if target > 0 else earned
            embed(room.x, lane, network[0], states, places, reward, room.cell[lane], end + 1 + own, gained)
            room.at[lane] = episode + 1 + own
            room.sees[lane], room.sees[LANES + lane] = end, own
            seen, most = max(seen, end), max(most, own)
        step(room, room.kept, w, network, room.at, room.sees, seen + 1, most + 1, episode + 1)
        for lane in range(LANES):
            target, own = room.target[lane], room.own[lane]
            if target < 0:
                continue
            room.own[lane] += 1
            if own == 0:
                room.cell[lane] = 0
                continue
            j = begin + room.seed[lane]
            cell = onwards[room.cell[lane], best(room.y, lane, network[4])]
            room.cell[lane] = second[j, target, own - 1] = cell
            if own == episode or (target > 0 and cell == target):
                again[j, target] = own
                room.own[lane] = 0
                active += next_target(lane, room, first, visits, begin, count, network) - 1
    for j in range(begin, begin + count):
        again[j, 0] = episode
        for i in range(episode - 1, -1, -1):
            cell = second[j, 0, i]
            if cell >= 0 and not found[j, cell]:
                again[j, cell] = i + 1


@compiled
def next_target(lane, room, first, visits, begin, count, network):
    """Give a lane a treasure cell that its seed, or else the one that has most, has not played: 1, or 0 if none is.

    0 stands for all cells that the first episode did not find, and comes first; then come those that were found last.
    So lanes see about as many tokens of the first episode at a time, and as far as the last of them sees all go.
    """
    seed, episode = room.seed[lane], first.shape[1] - 1
    if seed < 0 or room.todo[seed] == 0:
        seed = 0
        for j in range(1, count):
            if room.todo[j] > room.todo[seed]:
                seed = j
        if room.todo[seed] == 0:
            room.target[lane] = -1
            return 0
        room.seed[lane] = seed
        layers, rows = network[1], 2 * network[2] * network[3]
        for layer in range(layers):
            of_layer = layer * (len(room.kept) // layers)
            for i in range(of_layer, of_layer + (episode + 1) * rows * LANES, LANES):
                put(room.kept, i + lane, get(room.origin, i + seed))
    step, cell = room.back[seed], 0
    if step <= episode:
        while visits[begin + seed, first[begin + seed, step]] < step:
            step -= 1
        cell = first[begin + seed, step]
    room.back[seed] = step - 1
    room.todo[seed] -= 1
    room.target[lane] = cell
    return 1


def entry(sources: int):
    """The function that is called from outside; what numba keeps of it is good for sources with this checksum."""

    def play(w, network, starts, states, places, reward, onwards, earned, prize, room, walks):
        """Fill walks, task.Episodes as arrays first, second, found, visits, again, of K agents; returns the checksum.

        w: parameters (K, P); network: width, layers, heads, key size, outputs and where in P the first block begins;
        starts (K, m, D): the token of a seed, embedded; states (K, C D), places (K, . D), reward (K, D): parts of all
        others; onwards (C, 4): where a direction leads; earned, prize: by a step and by the treasure.
        """
        first, second, found, visits, again = walks
        m = first.shape[1]
        parts = (m + LANES - 1) // LANES
        most = (m + parts - 1) // parts
        for k in range(len(w)):
            clear(room.kept, len(room.kept) // LANES)  # another agent's may be infinite
            agent = w[k], network, starts[k], states[k], places[k], reward[k], onwards, earned, prize
            those = first[k], second[k], found[k], visits[k], again[k]
            for begin in range(0, m, most):
                count = min(most, m - begin)
                first_episode(agent, room, those, begin, count)
                second_episode(agent, room, those, begin, count)
        return sources

    try:
        return njit(play, cache=True, no_cfunc_wrapper=True, **HOW)
    except RuntimeError:  # neither this folder nor the user's can be written: it is compiled in every process
        return njit(play, no_cfunc_wrapper=True, **HOW)


play = entry(crc32(b"".join(Path(file).read_bytes() for file in (lanes.__file__, tokens.__file__, __file__))))
