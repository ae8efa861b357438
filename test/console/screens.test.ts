import { createBrowser, findAccessibilityFaults, overflowOf, views } from './support/browser';
import { screens } from './support/screens';
import { readWorld } from './support/world';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

describe.each(screens)('$name', ({ path, ready }) => {
  test.each(views)('is accessible and fits, $theme, $widthPx px', async (view) => {
    const page = await browser.open(await path(readWorld()), view);
    await page.locator(ready).first().waitFor();
    expect(await findAccessibilityFaults(page)).toEqual([]);
    expect(await overflowOf(page)).toBe(0);
  });
});
