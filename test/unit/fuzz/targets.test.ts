import { fuzz } from '../../fuzz/engine';
import { targets } from '../../fuzz/targets';

/** Few, to keep `npm test` short. The CI sends 20,000 with `npm run fuzz`. */
const inputs = 100;
/** Generous, because the machine also runs other tests. `npm run fuzz` is strict. */
const maxMs = 1_000;
const seed = Math.floor(Math.random() * 2 ** 31);

test.each(targets)(
  `$name survives its corpus and ${inputs} hostile inputs`,
  async (target) => {
    const { failure } = await fuzz(target, { inputs, seed, maxMs });
    const repeatCommand = `npm run fuzz -- --target ${target.name} --inputs ${inputs} --seed ${seed}`;
    expect(failure && { ...failure, repeatCommand }).toBeUndefined();
  },
  120_000,
);
