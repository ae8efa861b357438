const { default: Sequencer } = require('@jest/test-sequencer');

const layers = ['integration', 'e2e', 'infra', 'unit'];

/** Starts the layers with the longest test files first: a long file that starts last would run alone. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rankOf = (test) => layers.indexOf(test.context.config.displayName.name);
    // Within a layer, jest's own order stays.
    return super.sort(tests).sort((a, b) => rankOf(a) - rankOf(b));
  }
};
