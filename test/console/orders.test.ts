import { createBrowser, waitForCopied } from './support/browser';
import { newestOrderOf, processedOrdersOf } from './support/screens';
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
  // Not in the list of tasks, which shows those of other tests.
  await page.locator('main').getByText('Done', { exact: true }).waitFor();
  await page
    .getByRole('heading', { name: /by replay/ })
    .first()
    .waitFor();
});

test('a bulk replay has a plan first', async () => {
  // By their IDs: the list changes while orders are processed.
  const ids = (await processedOrdersOf(readWorld())).slice(1, 3);
  const page = await browser.open('/orders?tab=recent');
  for (const id of ids) await page.getByRole('checkbox', { name: `Select ${id}`, exact: true }).check();
  await page.getByRole('button', { name: 'Replay 2 orders …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What to replay').selectOption('raw');
  expect(await dialog.locator('.command').innerText()).toContain('--from raw --rate 10');
  await dialog.getByRole('button', { name: 'Replay 2 orders' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('.tasks', { hasText: 'Replay of 2 orders' }).waitFor();
});

describe('a list of 10,000 orders', () => {
  const orders = 10_000;
  const idOf = (index: number): string => `QO-${String(1_000_000 + index)}`;
  const rows = Array.from({ length: orders }, (_, index) => ({
    order_id: idOf(index),
    status: 'FAILED',
    at: '2026-01-31T08:00:00.000Z',
    worker: 'download',
    code: 'API_REFUSED',
    detail: 'Qualia refused the call (403)',
    receive: null,
    held_by_circuit: false,
    next_attempt_at: null,
  }));

  /** Opens the failed orders with this list instead of those of the stage. */
  const open = async () => {
    const page = await browser.open('/');
    await page.route(/\/api\/orders\?/, async (route) => {
      // The list does not change: its live connection is opened, and nothing arrives.
      if ((await route.request().headerValue('accept')) === 'text/event-stream') return;
      await route.fulfill({ json: { stage: 'dev', since: '2026-01-30T08:00:00.000Z', orders: rows } });
    });
    await page.getByRole('link', { name: 'Orders', exact: true }).click();
    await page.getByText('10,000 orders', { exact: true }).waitFor();
    return { page, table: page.getByRole('table', { name: 'Orders' }) };
  };

  test('has only the rows of the window in the page, and its first and last rows can be reached', async () => {
    const { page, table } = await open();
    const drawn = table.locator('tbody tr:not(.spacer)');
    await drawn.first().waitFor();
    expect(await table.getAttribute('aria-rowcount')).toBe(String(orders + 1));
    expect(await drawn.count()).toBeLessThan(100);

    await page.keyboard.press('End');
    const last = drawn.filter({ hasText: idOf(orders - 1) });
    await last.waitFor();
    expect(await last.getAttribute('aria-rowindex')).toBe(String(orders + 1));
    expect(await drawn.count()).toBeLessThan(100);
    expect(await drawn.filter({ hasText: idOf(0) }).count()).toBe(0);

    await page.keyboard.press('Home');
    await drawn.filter({ hasText: idOf(0) }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.locator('tr:focus', { hasText: idOf(1) }).waitFor();
  });

  test('is selected as a whole, also the rows that are not in the page', async () => {
    const { page, table } = await open();
    await table.getByRole('checkbox', { name: 'Select all rows' }).check();
    await page.getByRole('button', { name: 'Copy the IDs' }).click();
    await waitForCopied(page, (text) => text.split('\n').length === orders);
    await page.getByRole('button', { name: 'Replay 10,000 orders …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay 10,000 orders' }).waitFor();
  });
});
