import { createRootRoute } from '@tanstack/react-router';
import { NotFound, ScreenFault } from './shell/faults';
import { Shell } from './shell/shell';

/** The parent of every screen. */
export const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: ScreenFault,
});
