import { createBrowser } from './support/browser';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('a sample is sent, and a refused body that was kept is sent again', async () => {
  const page = await browser.open('/webhooks?period=3h');
  await page.getByRole('combobox', { name: 'Sample' }).selectOption('TX');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText(/^Response 200, order QO-\d+$/).waitFor();

  const body = page.locator('.bodies > li').first();
  await body.locator('.body-faults li').first().waitFor();
  await body.getByText('Structure, without values').click();
  expect(await body.locator('pre').innerText()).toMatch(/^body: /);
  await body.getByRole('button', { name: 'Accept again' }).click();
  const tasks = page.getByRole('region', { name: 'Tasks' });
  await tasks.getByText('0 of 1 accepted.').waitFor();

  // Everything can be scrolled above the tasks.
  await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)');
  const [end, top] = await Promise.all([page.locator('main > *').last().boundingBox(), tasks.boundingBox()]);
  expect((end?.y ?? Infinity) + (end?.height ?? 0)).toBeLessThanOrEqual(top?.y ?? 0);
});
