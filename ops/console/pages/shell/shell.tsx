import { useQueryClient } from '@tanstack/react-query';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { Suspense, useLayoutEffect, useRef, useState } from 'react';
import { Loading } from '../components/states';
import { useKeys } from '../keys';
import { useSession } from '../session';
import { KeyHelp } from './key-help';
import { Navigation } from './navigation';
import { OrderSearch } from './order-search';
import { SignedOut } from './signed-out';
import { TaskTray } from './task-tray';
import { Toolbar } from './toolbar';

/** What surrounds every screen. */
export const Shell = () => (
  <SignedOut>
    <Suspense fallback={<Loading />}>
      <Frame />
    </Suspense>
  </SignedOut>
);

const Frame = () => {
  const { stage, local, label } = useSession();
  const client = useQueryClient();
  const search = useRef<HTMLInputElement>(null);
  const main = useRef<HTMLElement>(null);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const pathname = useRouterState({ select: ({ location }) => location.pathname });
  useKeys({
    '/': () => search.current?.focus(),
    r: () => void client.invalidateQueries(),
    '?': () => setHelpOpen(true),
  });
  const shown = useRef(pathname);
  // Before the screen is painted: it must not take the focus from a row that a key has already chosen.
  useLayoutEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    setMenuOpen(false);
    // A screen reader continues in the new screen.
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return (
    <div className="shell" data-stage={local ? 'local' : stage}>
      <a className="skip" href="#main">
        Skip to the screen
      </a>
      <header className="topbar">
        <button
          type="button"
          className="menu-button"
          aria-expanded={isMenuOpen}
          aria-controls="navigation"
          onClick={() => setMenuOpen(!isMenuOpen)}
        >
          Menu
        </button>
        <span className="brand">
          <span className="brand-name">Pipeline</span>
          <span className="stage-badge">{local ? 'local' : stage}</span>
          <span className="visually-hidden">{label}</span>
        </span>
        <OrderSearch ref={search} />
        <Toolbar onHelp={() => setHelpOpen(true)} />
      </header>
      <Navigation isOpen={isMenuOpen} />
      <main id="main" ref={main} tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      <TaskTray />
      {isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}
    </div>
  );
};
