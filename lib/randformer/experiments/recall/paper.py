"""The paper's values, read off its figures to about 2 points: {answer: {N, q or m: value}}."""

NS = (10, 11, 12, 14, 16, 18, 20)

FIGURE_1C = {
    "A_r0": {10: 100, 11: 100} | dict.fromkeys(NS[2:], 0),
    "A_R": dict(zip(NS, (100, 93, 69, 42, 30, 26, 20), strict=True)),
    "A_R-majority(5)": dict(zip(NS, (100, 100, 90, 75, 55, 55, 50), strict=True)),
    "A_R-majority(30)": dict.fromkeys(NS, 100),
}
EXPECTED = {10: 100, 11: 100, 12: 94, 14: 82, 16: 72, 18: 66, 20: 57}
FIGURE_3A = {
    "average": {"A_r0": EXPECTED, "A_R": EXPECTED, "A_R-majority(30)": EXPECTED},
    "95th percentile": {
        "A_r0": FIGURE_1C["A_r0"],
        "A_R": FIGURE_1C["A_r0"],
        "A_r0-sampled": {12: 48, 13: 20, 14: 4},
    },
}
FIGURE_3B = {
    "average": {
        "A_r0": {12: 93, 14: 66, 16: 51, 18: 40, 20: 22},
        "A_r0-sampled": {12: 75, 14: 27, 16: 7, 18: 5, 20: 5},
        "A_R": {12: 88, 14: 65, 16: 54, 18: 45, 20: 40},
        "A_R-majority(30)": dict.fromkeys(NS[2:], 100),
    },
    "95th percentile": {
        "A_r0": dict.fromkeys(NS[2:], 0),
        "A_R": {12: 70, 14: 42, 16: 29, 18: 23, 20: 20},
        "A_R-majority(30)": dict.fromkeys(NS[2:], 100),
    },
}
FIGURE_2 = {"A_R": {1: 0, 2: 0, 4: 0, 8: 0, 16: 0.026, 32: 0.035, 100: 0.03, 500: 0.03}}
FIGURE_3C_Q = {
    "loss, average": {"A_R": {1: 0.15, 2: 0.13, 4: 0.19, 16: 0.20, 32: 0.27, 100: 0.30}, "A_r0": {500: 0.57}},
    "loss, 95th percentile": {
        "A_R": {1: 0.70, 2: 0.44, 4: 0.43, 16: 0.37, 32: 0.35, 100: 0.36},
        "A_r0": {500: 0.63},
    },
}
FIGURE_3C_M = {
    "loss, average": {"A_R": {1: 0.40, 5: 0.345, 20: 0.30, 50: 0.29}, "A_r0": dict.fromkeys((1, 5, 20, 50), 0.40)},
    "loss, 95th percentile": {
        "A_R": {1: 0.55, 5: 0.47, 20: 0.36, 50: 0.355},
        "A_r0": dict.fromkeys((1, 5, 20, 50), 0.55),
    },
}
