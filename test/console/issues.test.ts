import { createBrowser } from './support/browser';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('an issue is opened with the keyboard, acknowledged and replayed after a plan', async () => {
  const page = await browser.open('/issues');
  await page.locator('table[aria-label="Issues"] tbody tr').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/issues?issue=*');
  await page.getByRole('button', { name: 'Acknowledge for 4h' }).click();
  await page.locator('.facts .badge', { hasText: 'acknowledged' }).waitFor();

  await page.getByRole('button', { name: 'Replay all …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Takes at least').waitFor();
  await dialog.getByText(/^up to \d+\.\d\d USD at AWS$/).waitFor();
  expect(await dialog.locator('.command code').innerText()).toMatch(/ issues replay [0-9a-f]{8} --rate 10$/);
  await dialog.getByRole('button', { name: /^Replay \d+ orders?$/ }).click();
  const tasks = page.getByRole('region', { name: 'Tasks' }).getByRole('status');
  const replay = tasks.filter({ hasText: /Replay of \d+ orders? of issue/ });
  await replay.getByRole('button', { name: 'Close' }).waitFor();
});

test('a console that is read-only offers no change', async () => {
  const page = await browser.openReadOnly('/issues');
  await page.locator('table[aria-label="Issues"] tbody tr').last().click();
  await page.getByRole('button', { name: 'Resolve' }).waitFor();
  expect(await page.getByRole('button', { name: 'Resolve' }).isDisabled()).toBe(true);
});
