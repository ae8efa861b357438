import { createBrowser, waitForCopied } from './support/browser';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

test('says what is wrong first, and the figures of the last hour', async () => {
  const page = await browser.open('/');
  await page.locator('.verdict').waitFor();
  expect(await page.locator('.verdict-text').innerText()).toMatch(/\.$/);
  const accepted = page.locator('.tile', { hasText: 'Webhooks accepted' });
  expect(Number(await accepted.locator('.tile-value').innerText())).toBeGreaterThan(100);
  expect(await page.locator('[aria-label="Queues"] tbody th').allInnerTexts()).toEqual(['download', 'processing']);
});

test('the keyboard opens the help and the search', async () => {
  const page = await browser.open('/');
  await page.keyboard.press('?');
  expect(await page.getByRole('dialog').getByRole('heading').innerText()).toBe('Keys');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.keyboard.type('QO-0001');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/orders?q=QO-0001');
});

test('a command can be copied', async () => {
  const page = await browser.open('/');
  // Watched in the page: it disappears soon.
  const copied = page.evaluate(`new Promise((resolve) => {
    const status = document.querySelector('.page-actions .copied');
    const observer = new MutationObserver(() => status.textContent === 'Copied' && resolve());
    observer.observe(status, { childList: true, characterData: true, subtree: true });
  })`);
  await page.locator('.page-actions .command').click();
  await copied;
  await waitForCopied(page, (text) => /^pipeline --state \S+ status$/.test(text));
});

test('the theme can be switched', async () => {
  const page = await browser.open('/', { theme: 'dark', widthPx: 1280 });
  const colourOf = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const dark = await colourOf();
  await page.getByRole('button', { name: 'Theme: system' }).click();
  expect(await colourOf()).not.toBe(dark);
  await page.getByRole('button', { name: 'Theme: light' }).click();
  expect(await colourOf()).toBe(dark);
});

test('the menu of a narrow screen opens the other screens', async () => {
  const page = await browser.open('/', { theme: 'light', widthPx: 390 });
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('link', { name: 'Queues', exact: true }).click();
  await page.getByRole('heading', { name: 'Queues', level: 1 }).waitFor();
});

test('a console that is read-only says so', async () => {
  const page = await browser.openReadOnly('/');
  await page.getByText('Read-only').waitFor();
});
