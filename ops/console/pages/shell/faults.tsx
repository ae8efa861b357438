import type { ErrorComponentProps } from '@tanstack/react-router';
import { Link } from '@tanstack/react-router';
import { Empty, Failure } from '../components/states';

/** Shown for an address that is no screen. */
export const NotFound = () => (
  <Empty title="There is no such screen">
    <Link to="/">See the stage now</Link>
  </Empty>
);

/** Shown instead of a screen that failed. */
export const ScreenFault = ({ error, reset }: ErrorComponentProps) => <Failure error={error} onRetry={reset} />;
