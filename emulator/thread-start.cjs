'use strict';
// The first file of a service thread, which startServiceThread starts. Plain JavaScript: with tsx, a package takes two to
// three times as long to load, so this file loads them before tsx.
const { workerData } = require('node:worker_threads');

for (const name of workerData.packages) {
  require(name);
}
require('tsx/cjs/api').register();
require(workerData.program);
