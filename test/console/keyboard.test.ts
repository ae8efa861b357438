import type { Locator, Page } from 'playwright-core';
import { createBrowser } from './support/browser';
import { firstRow, newestOrderOf, sampleRun, sampleRunOf, screens, searchedOrder } from './support/screens';
import { readWorld } from './support/world';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

/** More than any screen has elements before the one that is looked for. */
const maxPresses = 250;

/** Presses a key until the focus is on an element. */
const pressUntilAt = async (page: Page, key: 'Tab' | 'j', target: Locator): Promise<void> => {
  await target.waitFor();
  const focused = target.and(page.locator(':focus'));
  for (let presses = 0; presses < maxPresses; presses += 1) {
    if ((await focused.count()) > 0) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not reach ${target}`);
};
const tabTo = (page: Page, target: Locator): Promise<void> => pressUntilAt(page, 'Tab', target);

const named = (place: Locator, name: string): Locator =>
  place
    .getByRole('link', { name, exact: true })
    .or(place.getByRole('button', { name, exact: true }))
    .or(place.locator('summary', { hasText: name }))
    .first();

/** Goes to an element of the screen, or to the first row of its table, and presses Enter. */
const enter = async (page: Page, step: string): Promise<void> => {
  const main = page.locator('main');
  const rows = main.locator('.table tbody tr');
  if (step === searchedOrder) {
    const id = await newestOrderOf(readWorld());
    await page.keyboard.press('/');
    await page.keyboard.type(id);
    await page.keyboard.press('Enter');
    await page.getByText(`Found by “${id}”`).waitFor();
    await rows.filter({ hasText: id }).waitFor();
    await page.keyboard.press('j');
  } else if (step === sampleRun) {
    await pressUntilAt(page, 'j', rows.filter({ hasText: await sampleRunOf(readWorld()) }));
  } else if (step === firstRow) {
    await rows.first().waitFor();
    await page.keyboard.press('j');
  } else await tabTo(page, named(main, step));
  await page.keyboard.press('Enter');
};

test.each(screens)('$name is reached, and what is in it opened, with the keyboard alone', async (screen) => {
  const page = await browser.open('/actions');
  const [link, ...steps] = screen.way;
  await tabTo(page, named(page.getByRole('navigation', { name: 'Screens' }), link));
  await page.keyboard.press('Enter');
  await page.locator('main h1', { hasText: link }).waitFor();
  for (const step of steps) await enter(page, step);
  await page.locator(screen.ready).first().waitFor();
  if (screen.opens === undefined) return;
  await enter(page, screen.opens.step);
  await page.locator(screen.opens.appears).first().waitFor();
});
