import { useSession } from '../session';
import { CopyCommand } from './copy';

/** The `pipeline` command that does the same as a view or an action. A click copies it. */
export const Command = ({ args }: { readonly args: string }) => {
  const { command } = useSession();
  return <CopyCommand text={`${command} ${args}`} />;
};
