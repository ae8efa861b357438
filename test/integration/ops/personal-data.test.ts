import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { echo, email, garbage, name, personalOrder, sensitiveValuesIn, token } from '../../support/personal-data';
import { createClients } from '../support/clients';
import { startStage, type TestStage } from './operators';
import { startWorkedStage, type WorkedStage } from './worked-stage';

// Output of terminals is recorded and copied to tickets, so personal data must be shown only on request.

let stage: TestStage;
beforeEach(async () => {
  stage = await startStage();
});
afterEach(() => stage.stop());

/** @returns all output of a command, as text and as JSON */
const printed = async (expectedExit: number, ...args: readonly string[]): Promise<string> => {
  const texts: string[] = [];
  for (const form of [[], ['--json']]) {
    const { exitCode, stdout, stderr } = await stage.operate([...args, ...form]);
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: expectedExit });
    texts.push(stdout, stderr);
  }
  return texts.join('\n');
};

test('dead letters are listed by order ID, without their contents', async () => {
  for (const body of [garbage, JSON.stringify(echo), JSON.stringify(personalOrder())])
    await stage.addDeadLetter('download', body);
  await stage.addDeadLetter('download', { order_id: 'QO-1', ...echo });
  for (const verb of [['list'], ['show', 'download']]) {
    const text = await printed(0, 'dlq', ...verb);
    expect(text).toContain('QO-1');
    expect(sensitiveValuesIn(text)).toEqual([]);
  }
});

test("the internal API's refusal is shown only on request", async () => {
  await stage.addFailed('QO-1', undefined, { code: 'API_REFUSED', response: garbage });
  for (const args of [
    ['orders', 'get', 'QO-1'],
    ['orders', 'list', '--since', '24h'],
  ])
    expect(sensitiveValuesIn(await printed(0, ...args))).toEqual([]);
  expect(sensitiveValuesIn(await printed(0, 'orders', 'get', 'QO-1', '--show-answer'))).toContain(token);
});

describe('a payload with personal data', () => {
  let world: WorkedStage;
  beforeEach(async () => {
    world = await startWorkedStage();
  });
  afterEach(() => world.stop());

  it('is shown only by mapping try', async () => {
    const orders = ['QO-1', 'QO-2'].map((id) => ({ ...personalOrder(), _id: id, order_number: id }));
    await world.addProcessed(...orders);
    await world.pipeline.qualia.change('QO-2', { properties: [{ state: name }] });
    const texts: string[] = [];
    for (const args of [
      ['orders', 'replay', 'QO-1', 'QO-2', '--yes'],
      ['orders', 'replay', '--from', 'raw', 'QO-1', 'QO-2', '--yes'],
      ['mapping', 'diff', '--since', '1h'],
      ['mapping', 'diff', '--since', '1h', '--json'],
    ]) {
      const { stdout, stderr } = await world.operate(args);
      texts.push(stdout, stderr);
    }
    expect(texts.join('')).toContain('UNKNOWN_STATE');
    expect(sensitiveValuesIn(texts.join(''))).toEqual([]);
    expect(sensitiveValuesIn((await world.operate(['mapping', 'try', 'QO-1'])).stdout)).toContain(email);
  });
});

test('an unreadable item is reported by its order ID, without its content', async () => {
  const clients = createClients();
  const Item = { order_id: 'QO-1', status: name, ...echo };
  await clients.documents.send(new PutCommand({ TableName: stage.ordersTableName, Item }));
  clients.destroy();
  const text = await printed(1, 'orders', 'get', 'QO-1');
  expect(text).toContain('QO-1');
  expect(sensitiveValuesIn(text)).toEqual([]);
});

test.each([
  ['invalid JSON', garbage],
  ['every value wrong', JSON.stringify({ run_id: garbage, netlife: { portals: [name] }, iterable: { plan: name } })],
])('a run input with %s is refused without its values', async (_, input) => {
  const file = join(stage.localStateDirectory, 'input.json');
  writeFileSync(file, input);
  expect(sensitiveValuesIn(await printed(2, 'sync', 'start', '--input', file))).toEqual([]);
});
