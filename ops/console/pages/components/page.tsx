import { type ReactNode, useEffect } from 'react';
import { useSession } from '../session';

interface PageProps {
  readonly title: string;
  /** What the page shows, in a sentence. */
  readonly summary?: ReactNode;
  /** Buttons. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A screen: its heading, and its content. */
export const Page = ({ title, summary, actions, children }: PageProps) => {
  const { label } = useSession();
  useEffect(() => {
    document.title = `${title} · ${label}`;
  }, [title, label]);
  return (
    <article className="page">
      <header className="page-header">
        <div>
          <h1>{title}</h1>
          {summary !== undefined && <p className="page-summary">{summary}</p>}
        </div>
        {actions !== undefined && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </article>
  );
};

interface SectionProps {
  readonly title: string;
  /** A link or a figure next to the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A titled part of a screen, on a panel. */
export const Section = ({ title, aside, children }: SectionProps) => (
  <section className="panel">
    <header className="panel-header">
      <h2>{title}</h2>
      {aside !== undefined && <div className="panel-aside">{aside}</div>}
    </header>
    {children}
  </section>
);
