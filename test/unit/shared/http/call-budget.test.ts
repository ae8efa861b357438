import { createOrderApi } from '../../../../shared/http/order-api';
import { createPace } from '../../../../shared/http/pace';
import { callContext } from '../../../support/call-context';
import { type ScriptedServer, startScriptedServer } from '../../../support/scripted-server';

/** The number of slots that were taken. */
let slots = 0;
jest.mock('../../../../shared/http/pace', () => ({
  createPace: jest.fn(() => async () => {
    slots++;
  }),
}));

let server: ScriptedServer;
beforeEach(async () => {
  slots = 0;
  jest.mocked(createPace).mockClear();
  server = await startScriptedServer();
});
afterEach(() => server.stop());

const call = async (callsPerSecond: number | undefined) => {
  const api = createOrderApi({
    api: 'qualia',
    url: server.origin,
    callsPerSecond,
    now: Date.now,
    sleep: async () => undefined,
    onCircuitOpen: () => undefined,
  });
  server.respond({ hangUp: true }, { body: {} });
  await api.call({
    request: { method: 'GET', path: '/', headers: {} },
    read: () => true,
    context: callContext().context,
  });
  await api.close();
};

test('with a budget, every attempt waits for a slot, including retries', async () => {
  await call(3);
  expect(createPace).toHaveBeenCalledWith({ callsPerSecond: 3, utilization: expect.any(Number) });
  expect(slots).toBe(2);
});

test('without a budget, nothing is paced', async () => {
  await call(undefined);
  expect(createPace).not.toHaveBeenCalled();
  expect(slots).toBe(0);
});
