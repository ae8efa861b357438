import { type ReactNode, useState } from 'react';

const shownMs = 1_500;

interface CopyProps {
  readonly text: string;
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
}

/** A button that copies a text. */
const Copy = ({ text, label, className, children }: CopyProps) => {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), shownMs);
  };
  return (
    <button
      type="button"
      className={className}
      title={label}
      onClick={(event) => {
        event.stopPropagation();
        void copy();
      }}
    >
      {children}
      <span className="copied" role="status">
        {copied && 'Copied'}
      </span>
    </button>
  );
};

/** An id that a click copies. */
export const CopyId = ({ value }: { readonly value: string }) => (
  <Copy text={value} label={`Copy ${value}`} className="copy-id">
    <code>{value}</code>
  </Copy>
);

/** A command that a click copies. */
export const CopyCommand = ({ text }: { readonly text: string }) => (
  <Copy text={text} label="Copy the command" className="command">
    <span className="command-prompt" aria-hidden="true">
      $
    </span>
    <code>{text}</code>
  </Copy>
);

/** A text that a click copies: a command that is not of `pipeline`, or figures, which are not shown. */
export const CopyText = ({ text, label }: { readonly text: string; readonly label: string }) => {
  const isShown = !text.includes('\n');
  return (
    <Copy text={text} label={label} className={isShown ? 'command' : 'quiet'}>
      {isShown ? <code>{text}</code> : 'Copy'}
    </Copy>
  );
};
