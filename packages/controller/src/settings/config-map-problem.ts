import { type Data, SettingsError } from "./read-value.ts";
import { isSettingsName, readers } from "./settings.ts";

/**
 * Why a ConfigMap of the system namespace would be refused when it is read; `undefined` for one that makes sense, and
 * for one the control plane does not read. C-156
 */
export function configMapProblem(name: string, data: Data): string | undefined {
  if (!isSettingsName(name)) return undefined;
  try {
    readers[name](data);
    return undefined;
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}
