import * as z from 'zod';
import { portalVariables } from '../../shared/netlife/portals';
import { runVariables } from '../../shared/runs/variables';

export const configSchema = z.object({ ...runVariables, ...portalVariables });
