import { createBrowser } from './support/browser';
import { newestOrderOf } from './support/screens';
import { readWorld } from './support/world';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('an order is found by its ID, and opened with the keyboard', async () => {
  const id = await newestOrderOf(readWorld());
  const page = await browser.open('/');
  await page.keyboard.press('/');
  await page.keyboard.type(id);
  await page.keyboard.press('Enter');
  await page.locator('.table tbody tr', { hasText: id }).waitFor();
  await page.locator('main h1').click();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/orders/${id}`);
  await page.locator('.band').first().waitFor();
});

test('values of a payload are hidden until one is revealed', async () => {
  const page = await browser.open(`/orders/${await newestOrderOf(readWorld())}?tab=payload`);
  const field = page.locator('.structure li', { hasText: 'order_number' });
  await field.getByRole('button', { name: 'Reveal' }).click();
  await field.locator('.revealed').waitFor();
  expect(await page.locator('.revealed').count()).toBe(1);
});

test('a replay starts a round, which appears by itself', async () => {
  const page = await browser.open(`/orders/${await newestOrderOf(readWorld())}`);
  await page.getByRole('button', { name: 'Replay', exact: true }).click();
  await page.getByText('Done').waitFor();
  await page
    .getByRole('heading', { name: /by replay/ })
    .first()
    .waitFor();
});

test('a bulk replay has a plan first', async () => {
  const page = await browser.open('/orders?tab=recent');
  await page
    .getByRole('checkbox', { name: /^Select / })
    .nth(1)
    .check();
  await page
    .getByRole('checkbox', { name: /^Select / })
    .nth(2)
    .check();
  await page.getByRole('button', { name: 'Replay 2 orders …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What to replay').selectOption('raw');
  expect(await dialog.locator('.command').innerText()).toContain('--from raw --rate 10');
  await dialog.getByRole('button', { name: 'Replay 2 orders' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('.tasks', { hasText: 'Replay of 2 orders' }).waitFor();
});
