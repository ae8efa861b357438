import { createBrowser, findAccessibilityFaults, overflowOf, views } from './support/browser';
import { screens } from './support/screens';
import { readWorld } from './support/world';

const browser = createBrowser();
afterEach(async () => {
  expect(await browser.close()).toEqual([]);
});
afterAll(browser.leave);

const widthsPx = [...new Set(views.map(({ widthPx }) => widthPx))];

describe.each(screens)('$name', ({ path, ready }) => {
  test.each(widthsPx)('is accessible and fits in both themes, %d px', async (widthPx) => {
    const page = await browser.open(await path(readWorld()), { theme: 'light', widthPx });
    await page.locator(ready).first().waitFor();
    for (const { theme } of views.filter((view) => view.widthPx === widthPx)) {
      await page.emulateMedia({ colorScheme: theme });
      expect({ theme, faults: await findAccessibilityFaults(page) }).toEqual({ theme, faults: [] });
    }
    expect(await overflowOf(page)).toBe(0);
  });
});
