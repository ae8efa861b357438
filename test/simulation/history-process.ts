/** Simulates every second, third … history of a run in a process of its own, and sends the results. */
import { historiesOf } from './histories';
import { createHistory, type HistoryOptions } from './history';
import { simulate } from './simulate';

const main = async (): Promise<void> => {
  const [run = '{}', first = '0', step = '1'] = process.argv.slice(2);
  const histories = historiesOf(JSON.parse(run) as HistoryOptions);
  for (let index = Number(first); index < histories.length; index += Number(step)) {
    const options = histories[index];
    if (options !== undefined) process.send?.({ options, result: await simulate(createHistory(options)) });
  }
  process.disconnect();
};

void main();
