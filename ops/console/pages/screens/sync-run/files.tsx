import { api, loadFile } from '../../api';
import { Action } from '../../components/action';
import { Section } from '../../components/page';
import type { RunDocument } from './run';

/** Files without personal data. */
const isPlain = (path: string): boolean => /(^|\/)(summary|input|stats)\.(json|txt)$/.test(path);

const save = (file: Blob, name: string): void => {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
};

/** The report files of a run. A download is recorded, because most of them contain personal data. */
export const Files = ({ run: { run_id: id, files, folder } }: { readonly run: RunDocument }) => (
  <Section title="Files">
    <p className="file-folder">
      In <code>{folder}</code>
    </p>
    <ul className="list">
      {files.map((path) => (
        <li key={path} className="file">
          <code>{path}</code>
          <span className="quiet-text">{isPlain(path) ? '' : 'personal data: the download is recorded'}</span>
          <Action
            label="Download"
            tone="quiet"
            isReading
            run={async (change) =>
              save(
                await loadFile(api['sync-runs'][':id'].files.$post({ param: { id }, json: { ...change, path } })),
                path.replace(/^.*\//, ''),
              )
            }
          />
        </li>
      ))}
    </ul>
  </Section>
);
