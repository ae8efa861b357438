import { thenAlways } from '../../../../shared/runs/then-always';

const failing = (message: string) => () => Promise.reject(new Error(message));
const ended: string[] = [];
const end = async () => void ended.push('end');
afterEach(() => ended.splice(0));

test('the end runs after the work, even if the work fails', async () => {
  await expect(thenAlways(async () => ended.push('work'), end)).resolves.toBe(1);
  await expect(thenAlways(failing('work'), end)).rejects.toThrow('work');
  expect(ended).toEqual(['work', 'end', 'end']);
});

test('the error of the work takes precedence over that of the end', async () => {
  await expect(thenAlways(failing('work'), failing('end'))).rejects.toThrow('work');
  await expect(thenAlways(async () => 1, failing('end'))).rejects.toThrow('end');
});
