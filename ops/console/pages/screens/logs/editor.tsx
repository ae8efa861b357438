import { completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { useEffect, useRef } from 'react';

const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--panel)', fontSize: 'var(--text-m)' },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-content': { fontFamily: 'var(--mono)', minHeight: '6.5rem', caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent-soft)',
  },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--raised)', border: '1px solid var(--line-strong)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    color: 'var(--on-accent)',
    backgroundColor: 'var(--accent-strong)',
  },
});

interface QueryEditorProps {
  readonly query: string;
  readonly language: Extension;
  readonly onChange: (query: string) => void;
  /** Ctrl or Cmd with Enter. */
  readonly onRun: () => void;
}

/**
 * An editor of queries. It is in a shadow root, where CodeMirror's styles are constructed style sheets: the content security
 * policy refuses inline ones. Tab leaves it, as any other field.
 */
export const QueryEditor = ({ query, language, onChange, onRun }: QueryEditorProps) => {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const newest = useRef({ query, onChange, onRun });
  newest.current = { query, onChange, onRun };

  useEffect(() => {
    const { current } = host;
    if (current === null) return;
    const root = current.shadowRoot ?? current.attachShadow({ mode: 'open' });
    const run = (): boolean => {
      newest.current.onRun();
      return true;
    };
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: newest.current.query,
        extensions: [
          keymap.of([{ key: 'Mod-Enter', run }, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          history(),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'Query' }),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged) newest.current.onChange(state.doc.toString());
          }),
          theme,
          language,
        ],
      }),
    });
    view.current = editor;
    // Outside of the shadow root, a key seems to come from the host, which is no field.
    const keep = (event: KeyboardEvent): void => event.stopPropagation();
    current.addEventListener('keydown', keep);
    return () => {
      current.removeEventListener('keydown', keep);
      editor.destroy();
    };
  }, [language]);

  useEffect(() => {
    const editor = view.current;
    const text = editor?.state.doc.toString();
    if (editor && text !== query) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: query } });
  }, [query]);

  return <div ref={host} className="query-editor" />;
};
