// Begins when all of the page's scripts are there.
"use strict";

for (const panel of [recallPanel, coloringPanel, gridPanel]) panel.start();
